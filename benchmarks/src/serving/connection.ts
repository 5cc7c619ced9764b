/**
 * A keep-alive connection that sends the same bytes again and again, and reads of an answer what it must: the clients share
 * the machine with the server, and fetch would take from it what is measured.
 */

export interface Sent {
  milliseconds: number
  status: number
  /** Reason of an answer that is not 200. */
  reason?: string
}

interface Answering {
  start: number
  resolve(sent: Sent): void
  reject(error: Error): void
}

const headEnd = Buffer.from('\r\n\r\n')

export class Connection {
  readonly #request: Buffer
  #socket: Bun.Socket<undefined> | undefined
  #unsent: Buffer = Buffer.alloc(0)
  #received: Buffer[] = []
  #answering: Answering | undefined

  private constructor(request: Buffer) {
    this.#request = request
  }

  /** @throws when nobody listens there */
  static async open(url: string, request: Buffer): Promise<Connection> {
    const { hostname, port } = new URL(url)
    const connection = new Connection(request)
    const failed = (): void => connection.#answering?.reject(new Error(`${url} closed the connection.`))
    connection.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_, bytes) => connection.#receive(bytes),
        drain: () => connection.#write(),
        close: failed,
        error: failed,
      },
    })
    return connection
  }

  /** One at a time. */
  send(): Promise<Sent> {
    return new Promise((resolve, reject) => {
      this.#answering = { start: performance.now(), resolve, reject }
      this.#unsent = this.#request
      this.#write()
    })
  }

  close(): void {
    this.#answering = undefined
    this.#socket?.end()
  }

  #write(): void {
    if (this.#unsent.length > 0)
      this.#unsent = this.#unsent.subarray(Math.max(0, this.#socket?.write(this.#unsent) ?? 0))
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes)
    const answer = this.#received.length > 1 ? Buffer.concat(this.#received) : bytes
    const end = answer.indexOf(headEnd)
    if (end < 0) return
    const head = answer.toString('latin1', 0, end)
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? []
    const [, length] = /^content-length: (\d+)/im.exec(head) ?? []
    const bodyStart = end + headEnd.length
    if (answer.length < bodyStart + Number(length)) return
    this.#received = []
    const { start, resolve } = this.#answering as Answering
    this.#answering = undefined
    const milliseconds = performance.now() - start
    if (status === '200') resolve({ milliseconds, status: 200 })
    else resolve({ milliseconds, status: Number(status), reason: answer.toString('utf8', bodyStart) })
  }
}

/** @param timeout milliseconds that the server is told to answer within */
export function postOf(url: string, image: Uint8Array, timeout?: number): Buffer {
  const { pathname, host } = new URL(url)
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Content-Type: image/jpeg',
    `Content-Length: ${image.length}`,
    ...(timeout === undefined ? [] : [`Timeout: ${timeout}`]),
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), image])
}

export function getOf(url: string): Buffer {
  const { pathname, host } = new URL(url)
  return Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
}
