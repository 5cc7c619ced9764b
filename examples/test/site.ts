/** A web server of the test's own, whose pages tell it what their `<output>` says, and then go where it sends them. */
import { join } from 'node:path'

/** What is served under a path: a folder, or what a function answers. */
export type Mount = MountedFolder | ((request: Request) => Response | Promise<Response>)

interface MountedFolder {
  folder: string
  /** Whether pages are cross-origin isolated: memory can be shared between threads there. @default false */
  isolated?: boolean
}

export interface Site {
  origin: string
  /**
   * Sends the browser to a page.
   *
   * @returns the text of the page's `<output>`
   * @throws with the page's first uncaught error, or when it says nothing
   */
  visit(path: string): Promise<string>
  stop(): Promise<void>
}

/** The address that a browser is started with; it waits there for its first page. */
export const waitingRoom = '/__wait'

/** Seconds that a page may take. */
const patience = 200

/** Before all scripts of a page: reports, then goes to the next page, whose address is the answer to the report. */
const reporter = `<script>{
  let reported = false
  const report = async result => {
    if (reported) return
    reported = true
    const answer = await fetch('/__report', { method: 'POST', body: JSON.stringify({ path: location.pathname, ...result }) })
    location.href = await answer.text()
  }
  addEventListener('error', ({ message, filename, lineno }) => report({ error: message + ' (' + filename + ':' + lineno + ')' }))
  addEventListener('unhandledrejection', ({ reason }) => report({ error: String(reason?.stack ?? reason) }))
  new MutationObserver(() => {
    const text = document.querySelector('output')?.textContent
    if (text) report({ text })
  }).observe(document, { subtree: true, childList: true, characterData: true })
  if (location.pathname === '${waitingRoom}') report({})
  setTimeout(() => report({ error: 'the page showed nothing in its <output> for ${patience} s' }), ${patience * 1000})
}</script>`

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

interface Report {
  path: string
  text?: string
  error?: string
}

/**
 * Starts the server.
 *
 * @param mounts by path, such as '/page/'
 */
export function serveSite(mounts: Record<string, Mount>): Site {
  /** The browser's next page: whoever comes first, the browser or the test, waits for the other. */
  let next = Promise.withResolvers<string>()
  const reports = new Map<string, (report: Report) => void>()

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === waitingRoom) return page('<!doctype html><title>Waiting</title>')
    if (pathname === '/__report') {
      const report = (await request.json()) as Report
      reports.get(report.path)?.(report)
      const path = await next.promise
      next = Promise.withResolvers()
      return new Response(path)
    }
    const [path, mount] = Object.entries(mounts).find(([path]) => pathname.startsWith(path)) ?? []
    if (!path || !mount) return new Response('', { status: 404 })
    if (typeof mount === 'function') return withReporter(await mount(request))
    const file = Bun.file(join(mount.folder, pathname.slice(path.length) || 'index.html'))
    if (!(await file.exists())) return new Response('', { status: 404 })
    const headers = mount.isolated ? isolation : {}
    return pathname.endsWith('/') || pathname.endsWith('.html')
      ? withReporter(new Response(file, { headers: { 'content-type': 'text/html; charset=utf-8', ...headers } }))
      : new Response(file, { headers })
  }

  const server = Bun.serve({ port: 0, idleTimeout: 0, fetch: answer })
  return {
    origin: `http://localhost:${server.port}`,
    async visit(path) {
      const report = new Promise<Report>(resolve => reports.set(path, resolve))
      next.resolve(path)
      const { text, error } = await report
      if (text === undefined) throw new Error(`${path}: ${error}`)
      return text
    },
    stop: () => server.stop(true),
  }
}

const page = (text: string, headers = new Headers({ 'content-type': 'text/html; charset=utf-8' })): Response => {
  const start = /<head>|<!doctype html>/i.exec(text)
  const at = start ? start.index + start[0].length : 0
  return new Response(text.slice(0, at) + reporter + text.slice(at), { headers })
}

/** A response with the reporter in it, if it is a page. */
async function withReporter(response: Response): Promise<Response> {
  const { headers } = response
  return headers.get('content-type')?.startsWith('text/html') ? page(await response.text(), headers) : response
}
