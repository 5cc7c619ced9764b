/** One end of the socket between the server and a worker process: sends and receives whole frames, however the socket cuts them. */
import { type Frame, FrameReader, frameOf, type Header } from './framing.ts'

interface FrameLinkOptions {
  onOpen?(): void
  onFrame(frame: Frame): void
  /** Called when either end has closed. */
  onClose(): void
}

/** Largest message, in bytes, whose buffer is reused for the next: a batch of images fits, a huge upload does not. */
const KEPT = 2 * 2 ** 20

export class FrameLink {
  /** Handlers for Bun.connect or Bun.listen, which open one socket with them. */
  readonly handlers: Bun.SocketHandler<undefined, 'buffer'>
  readonly #reader = new FrameReader()
  #socket: Bun.Socket<undefined> | undefined
  /** Frames that the socket has not taken yet, in order. */
  #unsent: Uint8Array[] = []
  /** Buffer reused from message to message: allocating one for each would cost more than the copy into it. */
  #memory: Buffer = Buffer.alloc(0)

  constructor({ onOpen, onFrame, onClose }: FrameLinkOptions) {
    this.handlers = {
      open: socket => {
        this.#socket = socket
        onOpen?.()
      },
      data: (_, bytes) => {
        for (const frame of this.#reader.push(bytes)) onFrame(frame)
      },
      drain: () => this.#send(),
      end: onClose,
      close: onClose,
      error: onClose,
    }
  }

  /** Sends a frame, or queues it while the socket takes no more. */
  write(header: Header, bodies?: readonly Uint8Array[]): void {
    this.#unsent.push(frameOf(header, bodies, size => this.#allocate(size)))
    if (this.#unsent.length === 1) this.#send()
  }

  /** Closes this end once everything is sent. */
  end(): void {
    this.#socket?.end()
  }

  /** Closes the socket at once; unsent frames are dropped. */
  destroy(): void {
    this.#unsent = []
    this.#socket?.terminate()
  }

  #allocate(size: number): Buffer {
    if (size > KEPT || this.#unsent.length > 0) return Buffer.allocUnsafe(size)
    if (this.#memory.length < size) this.#memory = Buffer.allocUnsafeSlow(size)
    return this.#memory.subarray(0, size)
  }

  #send(): void {
    for (let next = this.#unsent[0]; next; next = this.#unsent[0]) {
      const sent = Math.max(0, this.#socket?.write(next) ?? 0) // -1: closed, which has an event of its own
      if (sent < next.byteLength) {
        this.#unsent[0] = next.subarray(sent)
        return
      }
      this.#unsent.shift()
    }
  }
}
