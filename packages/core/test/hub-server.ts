/** A hub on this machine that speaks Hugging Face's protocol, serves one model, and errs on demand. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the hub does wrong next. */
export interface Fault {
  /** Bytes of a file beyond which none are sent. */
  cutAfter?: number
  damage?: boolean
  status?: number
  /** The paths that the status is for. @default all */
  statusPaths?: RegExp
  /** Bytes that are sent beyond those of a weights file. */
  excess?: number
  /** Sizes that are announced, whatever is sent. */
  announce?: number
  code?: string
  commit?: string
  /** Paths that begin so are never answered. */
  silent?: string
}

export interface SeenRequest {
  method: string
  path: string
  range: string | null
  authorization: string | null
  encoding: string | null
}

export const commit: string = 'a'.repeat(40)

export class HubServer {
  readonly files: Map<string, Uint8Array> = new Map()
  fault: Fault = {}
  requests: SeenRequest[] = []
  /** Where large files are: under another host name of this machine. */
  storage: string
  readonly #server: ReturnType<typeof Bun.serve>

  constructor(folder: string = join(import.meta.dirname, 'fixtures/square/model')) {
    for (const name of ['config.json', 'preprocessor_config.json', 'model.safetensors'])
      this.files.set(name, readFileSync(join(folder, name)))
    this.#server = Bun.serve({ port: 0, fetch: request => this.#answer(request) })
    this.storage = `http://127.0.0.1:${this.#server.port}/cdn/`
  }

  get endpoint(): string {
    return `http://localhost:${this.#server.port}/`
  }

  file(name: string): Uint8Array {
    return this.files.get(name) as Uint8Array
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }

  #answer({ url, method, headers }: Request): Response | Promise<Response> {
    const { fault } = this
    const path = new URL(url).pathname
    const range = headers.get('range')
    const [authorization = null, encoding = null] = [headers.get('authorization'), headers.get('accept-encoding')]
    this.requests.push({ method, path, range, authorization, encoding })
    if (fault.silent && path.startsWith(fault.silent)) return new Promise(() => {})
    if (fault.status && (fault.statusPaths ?? /^/).test(path))
      return new Response(null, { status: fault.status, headers: { 'x-error-code': fault.code ?? '' } })
    if (path.startsWith('/owner/renamed/'))
      return new Response(null, { status: 307, headers: { location: path.replace('renamed', 'model') } })
    if (path.startsWith('/cdn/')) return this.#content(path.slice('/cdn/'.length), range)
    const name = /^\/owner\/model\/resolve\/[^/]+\/(.+)$/.exec(path)?.[1] ?? ''
    const bytes = this.files.get(name)
    if (!bytes) return new Response(null, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } })
    const large = name.endsWith('.safetensors')
    const checksum = large
      ? createHash('sha256').update(bytes).digest('hex')
      : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
    const described = {
      'x-repo-commit': fault.commit ?? commit,
      'x-linked-size': `${fault.announce ?? bytes.length}`,
      'x-linked-etag': `"${checksum}"`,
    }
    if (large) return new Response(null, { status: 302, headers: { ...described, location: `${this.storage}${name}` } })
    return new Response(method === 'HEAD' ? null : this.#content(name, range).body, { headers: described })
  }

  #content(name: string, range: string | null): Response {
    const { damage, cutAfter, excess = 0 } = this.fault
    const whole = new Uint8Array(this.file(name).length + (name.endsWith('.safetensors') ? excess : 0))
    whole.set(this.file(name))
    if (damage) whole[whole.length - 1] = (whole[whole.length - 1] as number) ^ 1
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    const part = whole.subarray(from, cutAfter)
    return new Response(part, { status: from > 0 ? 206 : 200 })
  }
}
