/** A client that is a plain socket: the test decides what it sends and when, and whether it reads. */

export interface SocketClient {
  send(bytes: string | Uint8Array): void
  /** Resolved when all is on its way, or never will be. */
  sent(): Promise<void>
  isClosed: boolean
  /** What has come. */
  received: string
  /** Goes at once, whatever is on its way. */
  leave(): void
}

/** @param reads whether it reads what it is sent; a client that does not read does not notice the end either */
export async function connect({ hostname, port }: URL, { reads = true } = {}): Promise<SocketClient> {
  let unsent: Uint8Array = new Uint8Array(0)
  const client: SocketClient = {
    isClosed: false,
    received: '',
    send(bytes) {
      unsent = Buffer.concat([unsent, Buffer.from(bytes)])
      unsent = unsent.subarray(Math.max(0, socket.write(unsent)))
    },
    async sent() {
      while (unsent.length > 0 && !client.isClosed) await Bun.sleep(1)
    },
    leave: () => socket.terminate(),
  }
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: socket => {
        if (!reads) socket.pause()
      },
      data(_, bytes) {
        client.received += bytes.toString()
      },
      drain: () => client.send(''),
      close: () => {
        client.isClosed = true
      },
      error() {},
    },
  })
  return client
}

/**
 * A request's head and body, as they are sent.
 *
 * @param target of which nothing is resolved or escaped, as fetch does
 */
export function requestBytes(
  { host }: URL,
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const fields = Object.entries({ host, 'content-length': String(body.length), ...headers })
  const lines = [`${method} ${target} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(lines.join('\r\n')), body])
}
