/** Downloads in browsers and their workers: fetch as it is, and Cache Storage. */

import { environmentDefaults } from './hub-environment.ts'
import type { Network } from './network.ts'
import { PartStore } from './part-store.ts'

export const network: Network = {
  environment: () => ({ ...environmentDefaults, cacheFolder: 'vitral' }),
  seesRedirects: false,
  fetch: (url, init) => fetch(url, init),
  proxyVariable: () => undefined,
  statusLine: ({ status, statusText }) => `${status} ${statusText}`.trim(), // HTTP/2 has no words
  addresses: "an address ('https://…', '/models/vit', './vit')",

  locate(text) {
    if (!/^(https?:\/\/|\/|\.\.?\/)/i.test(text)) return undefined
    const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } }
    const base = document?.baseURI ?? location?.href // a worker's is the address of its script
    if (URL.canParse(text, base)) return new URL(text, base)
    throw new Error(`'${text}' is relative to ${base ?? 'nothing'}; expected an address with https:// and the host.`)
  },

  pathOfUrl: () => undefined,

  openStore: async (cacheFolder, model, onWarning) => {
    // Only secure contexts have it: https, and http of this machine.
    const cache = await globalThis.caches?.open(cacheFolder).catch(() => undefined)
    return new PartStore(`the cache '${cacheFolder}'`, model, cache, onWarning)
  },
}
