/** Where a page may start a worker from: browsers want its script from the page's own origin, and a CDN's is not. */

const urls = new Map<string, string>()

/** An address that a worker can be started with: for a script of another origin, that of a line that imports it. */
export function workerUrl(script: URL): URL | string {
  if (script.origin === globalThis.location.origin) return script
  const line = (): string =>
    URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)}`], { type: 'text/javascript' }))
  const url = urls.get(script.href) ?? line()
  urls.set(script.href, url)
  return url
}
