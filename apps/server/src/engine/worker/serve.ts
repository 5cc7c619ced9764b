/** The process's side of the socket: answers calls by name, and ends when the server does. */
import { connect } from 'node:net'
import { FrameReader, type Header, writeFrame } from '../framing.ts'
import { endWithParent } from './end-with-parent.ts'

export interface Reply {
  header?: Header
  bodies?: readonly Uint8Array[]
}

export type Handler = (header: Header, body: Uint8Array) => Promise<Reply>

/**
 * Connects to the socket that the process was started with and answers until it closes. A handler's error goes back with
 * its `code`, if it has one.
 */
export function serve(handlers: Readonly<Record<string, Handler>>): void {
  // A terminal and a service manager signal the whole group; the server alone decides when its processes end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  endWithParent()
  const socket = connect(process.argv[2] as string)
  const reader = new FrameReader()
  // The socket closes when the server has ended too, however it ended.
  for (const end of ['end', 'close', 'error'] as const) socket.on(end, () => process.exit())
  socket.on('data', chunk => {
    for (const { header, body } of reader.push(chunk as Buffer)) void answer(header, body)
  })

  async function answer(header: Header, body: Uint8Array): Promise<void> {
    const { id, call } = header as { id: number; call: string }
    try {
      const handler = handlers[call]
      if (!handler) throw new Error(`There is no call '${call}'.`)
      const reply = await handler(header, body)
      writeFrame(socket, { id, ...reply.header }, reply.bodies)
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      writeFrame(socket, { id, error: { code, message } })
    }
  }
}
