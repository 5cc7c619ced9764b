/** Downloads in Node and Bun: through proxies, with Hugging Face's environment variables, into the cache that Python uses too. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DiskStore } from './disk-store.ts'
import { environmentDefaults, type HubEnvironment } from './hub-environment.ts'
import { trimToken } from './hub-token.ts'
import type { Network } from './network.ts'
import { proxiedFetch, proxyVariable, statusLine } from './proxied-fetch.ts'

export const network: Network = {
  environment: hubEnvironment,
  seesRedirects: true,
  fetch: proxiedFetch,
  proxyVariable,
  statusLine,
  addresses: "an address ('https://…')",
  locate: text => (/^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined),
  pathOfUrl: fileURLToPath,
  openStore: async (cacheFolder, model) => new DiskStore(cacheFolder, model),
}

/** An empty variable is an unset one. */
export function hubEnvironment(env: Record<string, string | undefined> = process.env): HubEnvironment {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  const tokenFile = env.HF_TOKEN_PATH || join(home, 'token')
  const token =
    trimToken(env.HF_TOKEN) ?? (existsSync(tokenFile) ? trimToken(readFileSync(tokenFile, 'utf8')) : undefined)
  return {
    endpoint: env.HF_ENDPOINT || environmentDefaults.endpoint,
    ...(token && { token }),
    cacheFolder: env.HF_HUB_CACHE || join(home, 'hub'),
    offline: /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    maxBytes: Number(env.VITRAL_HUB_MAX_BYTES) || environmentDefaults.maxBytes,
    timeoutSeconds: Number(env.HF_HUB_DOWNLOAD_TIMEOUT) || environmentDefaults.timeoutSeconds,
  }
}
