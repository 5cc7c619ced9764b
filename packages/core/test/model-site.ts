/** A server of a model folder and a hub in one, which errs on demand; its two host names are two origins to a browser. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** What the server does wrong next, with the files that the pattern names. */
export interface SiteFault {
  files: RegExp
  /** Ends the connection after so many bytes of an answer, so many times. */
  cut?: { after: number; times: number }
  status?: number
  /** Answers with a page, as sites of one page do. */
  page?: boolean
  /** Changes the last byte. */
  damage?: boolean
  /** Bytes of the file that are there. */
  size?: number
  /** What is asked for by range: sent from the start, or refused. */
  ranges?: 'passed over' | 'refused'
  /** Stops after so many bytes, and leaves the connection open. */
  stall?: number
}

export interface SiteRequest {
  method: string
  host: string
  path: string
  range: string | undefined
  authorization: string | undefined
}

export const siteCommit: string = 'c'.repeat(40)

export class ModelSite {
  readonly files: Map<string, Uint8Array> = new Map()
  fault: SiteFault | undefined
  /** Whether answers say a version of the file. */
  hasVersions = true
  hasHead = true
  requests: SiteRequest[] = []
  #server: Server | undefined
  #port = 0
  #page = { html: '', script: '' }

  constructor(folder: string = join(import.meta.dirname, 'fixtures/square/model')) {
    for (const name of ['config.json', 'preprocessor_config.json', 'model.safetensors'])
      this.files.set(name, readFileSync(join(folder, name)))
  }

  /** @param page what is answered at '/' and '/page.js', for browsers, from then on */
  async start(page?: { html: string; script: string }): Promise<void> {
    if (page) this.#page = page
    const server = createServer((request, response) => this.#answer(request, response))
    await new Promise<void>(resolve => server.listen(this.#port, resolve))
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    server?.closeAllConnections()
    await new Promise(resolve => (server ? server.close(resolve) : resolve(undefined)))
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  file(name: string): Uint8Array {
    return this.files.get(name) as Uint8Array
  }

  /** The requests of a method and for a file, in order. */
  asked(method: string, file: string): SiteRequest[] {
    return this.requests.filter(request => request.method === method && request.path.endsWith(file))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', this.url)
    const { method = 'GET', headers } = request
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization, range')
    response.setHeader(
      'access-control-expose-headers',
      'etag, content-range, x-repo-commit, x-linked-etag, x-error-code',
    )
    if (method === 'OPTIONS') return void response.end()
    if (pathname === '/') return void asPage(response).end(this.#page.html)
    if (pathname === '/page.js')
      return void response.setHeader('content-type', 'text/javascript').end(this.#page.script)
    const { host = '', range, authorization } = headers
    this.requests.push({ method, host, path: pathname, range, authorization })
    const [, place = '', name = ''] =
      /^\/(model|cdn|owner\/tiny\/resolve\/[^/]+|owner\/tiny\/raw\/[^/]+)\/([\w.-]+)$/.exec(pathname) ?? []
    if (method === 'HEAD' && !this.hasHead) return void response.writeHead(405).end()
    const fault = this.fault?.files.test(name) ? this.fault : undefined
    if (fault?.status) return void response.writeHead(fault.status).end()
    if (fault?.page) return void asPage(response).end('<!doctype html><title>One page</title>')
    const bytes = this.files.get(name)
    if (!bytes || place === '') return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end()
    if (place.startsWith('owner')) response.setHeader('x-repo-commit', siteCommit)
    if (place.includes('raw'))
      return void response.end(
        `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`,
      )
    if (place.startsWith('owner') && name.endsWith('.safetensors')) {
      response.setHeader('x-linked-etag', `"${sha256(bytes)}"`)
      response.setHeader('x-linked-size', bytes.length)
      return void response.writeHead(302, { location: `http://127.0.0.1:${this.#port}/cdn/${name}` }).end()
    }
    if (place.startsWith('owner')) response.setHeader('etag', `"${gitChecksum(bytes)}"`)
    else if (this.hasVersions) response.setHeader('etag', `"${sha256(bytes).slice(0, 20)}"`)
    this.#send(response, method, bytes, range, fault)
  }

  #send(
    response: ServerResponse,
    method: string,
    file: Uint8Array,
    range: string | undefined,
    fault?: SiteFault,
  ): void {
    const bytes = Uint8Array.from(file).subarray(0, fault?.size)
    if (fault?.damage) bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
    const [, first = '0', last] = fault?.ranges === 'passed over' ? [] : (/bytes=(\d+)-(\d+)?/.exec(range ?? '') ?? [])
    const from = Number(first)
    if (range && (fault?.ranges === 'refused' || from >= bytes.length)) return void response.writeHead(416).end()
    const part = bytes.subarray(from, last === undefined ? undefined : Number(last) + 1)
    response.writeHead(range && fault?.ranges !== 'passed over' ? 206 : 200, {
      'content-length': part.length,
      ...(range &&
        fault?.ranges !== 'passed over' && {
          'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}`,
        }),
    })
    if (method === 'HEAD') return void response.end()
    const isCut = fault?.cut && fault.cut.times-- > 0
    const most = isCut ? fault?.cut?.after : fault?.stall
    if (most === undefined) return void response.end(part)
    // Bun drops what it has received and not yet handed over when a connection ends: it gets the time to.
    response.write(part.subarray(0, most), () => isCut && setTimeout(() => response.socket?.end(), 300))
  }
}

const asPage = (response: ServerResponse): ServerResponse =>
  response.setHeader('content-type', 'text/html; charset=utf-8') as ServerResponse

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const gitChecksum = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
