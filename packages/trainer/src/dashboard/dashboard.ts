/** A page on this machine that shows a run while it goes on: curves, progress, time left. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TrainingObserver } from '../run/events.ts'
import { runPaths } from '../run/folder.ts'
import { eventStream } from './event-stream.ts'
import { parseHistory } from './history.ts'
import { type Changes, runProgress, type WatchedRun } from './run-progress.ts'

/** A page about a run, while it goes on. */
export interface Dashboard {
  /** Where the page is. */
  url: string
  /** What tells the page of the run in a folder; the run's own log is to be told before, since new pages are given it. */
  observe(run: WatchedRun): TrainingObserver
  /** Tells the page how the run ended, and ends the server. */
  close(ending: string): Promise<void>
}

/** The page's files, by their paths. In the published package the sources lie beside what is built of them. */
const page = new URL('../../src/dashboard/page/', import.meta.url)
const files: Record<string, [name: string, type: string]> = {
  '/': ['index.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  '/page.js': ['page.js', 'text/javascript'],
  '/chart.js': ['chart.js', 'text/javascript'],
}

/** Nothing of other origins, and nothing that is written into the page. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'"

/**
 * Serves the page on 127.0.0.1; other machines cannot reach it.
 *
 * @param port 0 for one that is free
 * @throws when the port is taken.
 * @example
 * const dashboard = await startDashboard({ port: 6060 })
 * console.log(dashboard.url) // http://127.0.0.1:6060
 * const { trainer, data } = await startRun({ recipe, data: 'data', out: 'runs/a' })
 * trainer.observe(dashboard.observe({ out: 'runs/a', recipe, data }))
 * await trainer.train()
 * await dashboard.close('finished')
 */
export async function startDashboard({ port }: { port: number }): Promise<Dashboard> {
  const stream = eventStream()
  let snapshot = (): object => ({ title: 'Preparing', steps: [], evaluations: [], progress: { state: 'preparing' } })
  const server = createServer((request, response) => {
    const file = files[request.url ?? '']
    if (!isLocal(request)) refuse(response, 403, 'This page is for this machine alone.')
    else if (request.method !== 'GET') refuse(response, 405, 'There is only GET.')
    else if (request.url === '/events') stream.open(response, 'run', snapshot())
    else if (file) send(response, ...file)
    else refuse(response, 404, 'There is no such page.')
  })
  await listen(server, port)
  const sendChanges = (changes: Changes) => stream.send('update', changes)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    observe({ out, recipe, data }) {
      const { observer, progress } = runProgress({ recipe, data }, sendChanges)
      snapshot = () => ({ title: out, recipe, ...parseHistory(textOf(runPaths(out).metrics)), progress: progress() })
      return observer
    },
    async close(ending) {
      stream.send('update', { steps: [], evaluations: [], progress: { state: ending } })
      // What was written is sent before connections are closed.
      const closed = new Promise(resolve => server.close(resolve))
      await stream.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Read in one turn with what follows, so that no page misses a change. */
const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`--dashboard: port ${port} is taken; give another, such as --dashboard ${port + 1}.`)
          : new Error(`--dashboard: port ${port} cannot be used: ${error.message}`),
      ),
    )
    server.listen(port, '127.0.0.1', () => resolve())
  })
}

/** A page of elsewhere whose name was made to point here names itself as the host. */
const isLocal = ({ headers }: IncomingMessage): boolean => /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')

function send(response: ServerResponse, name: string, type: string): void {
  const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }
  response.writeHead(200, { ...headers, 'content-security-policy': policy, 'x-content-type-options': 'nosniff' })
  response.end(readFileSync(new URL(name, page)))
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`)
}
