/** A worker process's side of the socket: answers calls by name, and ends when the server does. */
import { FrameLink } from '../../ipc/frame-link.ts'
import type { Frame, Header } from '../../ipc/framing.ts'
import { releaseBuffer } from '../../ipc/release-buffer.ts'
import { type CallName, type Calls, isCallName, readCall, readRequest } from '../protocol.ts'
import { endWithParent } from './end-with-parent.ts'

interface Reply<Name extends CallName> {
  reply: Calls[Name]['reply']
  /** Arrays whose memory is released once they are written. */
  bodies?: readonly Uint8Array[]
}

/** Answers of the calls that a process takes. */
export type Handlers = {
  [Name in CallName]?: (request: Calls[Name]['request'], body: Uint8Array) => Promise<Reply<Name>>
}

/**
 * Connects to the socket that the process was started with and answers until it closes. A handler's error goes back with
 * its `code`, if it has one.
 */
export function serve(handlers: Handlers): void {
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
    const { id, call } = readCall(header)
    try {
      if (!isCallName(call)) throw new Error(`Unknown call '${call}'.`)
      const { reply, bodies = [] } = await handle(call, header, body)
      link.write({ ...reply, id }, bodies)
      for (const bytes of bodies) releaseBuffer(bytes)
      // The frame is not released after an error: work on it may still be running.
      free()
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      link.write({ id, error: { code, message } })
    }
  }

  function handle<Name extends CallName>(name: Name, header: Header, body: Uint8Array): Promise<Reply<Name>> {
    const handler: Handlers[Name] = handlers[name]
    if (!handler) throw new Error(`This process takes no call '${name}'.`)
    return handler(readRequest(name, header), body)
  }
}
