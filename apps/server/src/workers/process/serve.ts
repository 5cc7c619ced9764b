/** A worker process's side of the socket: answers calls by name, and ends when the server does. */
import { FrameLink } from '../../ipc/frame-link.ts'
import type { Frame, Header } from '../../ipc/framing.ts'
import { releaseBuffer } from '../../ipc/release-buffer.ts'
import { endWithParent } from './end-with-parent.ts'

interface Reply {
  header?: Header
  /** Arrays whose memory is released once they are written. */
  bodies?: readonly Uint8Array[]
}

type Handler = (header: Header, body: Uint8Array) => Promise<Reply>

/**
 * Connects to the socket that the process was started with and answers until it closes. A handler's error goes back with
 * its `code`, if it has one.
 */
export function serve(handlers: Readonly<Record<string, Handler>>): void {
  // A terminal and a service manager signal the whole group; the server alone decides when its processes end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  endWithParent()
  const link = new FrameLink({
    onFrame: frame => void answer(frame),
    // The socket also closes when the server has ended, however it ended.
    onClose: () => process.exit(),
  })
  Bun.connect({ unix: process.argv[2] as string, socket: link.handlers }).catch(() => process.exit(1))

  async function answer({ header, body, free }: Frame): Promise<void> {
    const { id, call } = header as { id: number; call: string }
    try {
      const handler = handlers[call]
      if (!handler) throw new Error(`Unknown call '${call}'.`)
      const reply = await handler(header, body)
      link.write({ id, ...reply.header }, reply.bodies)
      for (const bytes of reply.bodies ?? []) releaseBuffer(bytes)
      // The frame is not released after an error: work on it may still be running.
      free()
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      link.write({ id, error: { code, message } })
    }
  }
}
