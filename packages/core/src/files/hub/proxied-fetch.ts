/**
 * `fetch` that obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in lower case too. Bun's own does; Node's does from 24 on, and
 * only when it is told to before it starts.
 */

import { STATUS_CODES } from 'node:http'

const forHttp = ['http_proxy', 'HTTP_PROXY'] as const
const forHttps = ['https_proxy', 'HTTPS_PROXY'] as const
const variables = [...forHttp, ...forHttps]

/** Agents for the environment's proxies: connections are kept for the next request. */
const agents = new Map<string, unknown>()

/**
 * fetch through the proxy that the environment names.
 *
 * @param url an address of http or https
 * @throws as fetch does, with the reason as its cause
 */
export async function proxiedFetch(url: string | URL, init: RequestInit): Promise<Response> {
  const proxies = variables.map(name => process.env[name] ?? '')
  if (process.versions.bun || proxies.every(proxy => proxy === '')) return await fetch(url, init)
  const undici = await import('undici')
  const key = proxies.join('\n')
  // Proxies commonly refuse a tunnel to port 80; plain http is asked for as every other program does.
  const dispatcher = agents.get(key) ?? new undici.EnvHttpProxyAgent({ proxyTunnel: false })
  agents.set(key, dispatcher)
  return (await undici.fetch(url, { ...init, dispatcher } as Parameters<typeof undici.fetch>[1])) as unknown as Response
}

/** The name of the variable that sets a proxy for such addresses, for messages: its value may hold a password. */
export const proxyVariable = (url: URL): string | undefined =>
  (url.protocol === 'https:' ? forHttps : forHttp).find(name => process.env[name])

/** Such as '503 Service Unavailable': through a proxy undici loses the words of plain http. */
export const statusLine = ({ status, statusText }: Response): string =>
  `${status} ${statusText || STATUS_CODES[status] || ''}`.trim()
