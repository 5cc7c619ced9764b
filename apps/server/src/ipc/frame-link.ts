/** One end of a socket between the server and a process of its own: whole messages out and in, however the socket cuts them. */
import { type Frame, FrameReader, frameOf, type Header } from './framing.ts'

interface FrameLinkOptions {
  onOpen?(): void
  onFrame(frame: Frame): void
  /** The other end has closed, or this one has. */
  onClose(): void
}

/** Bytes of a message at most whose memory is kept for the next: a batch of images has them, a huge upload has more. */
const KEPT = 2 * 2 ** 20

export class FrameLink {
  /** For Bun.connect and Bun.listen, which open one socket with it. */
  readonly handlers: Bun.SocketHandler<undefined, 'buffer'>
  readonly #reader = new FrameReader()
  #socket: Bun.Socket<undefined> | undefined
  /** What the socket has not taken yet, in its order. */
  #unsent: Uint8Array[] = []
  /** Of the messages that were written last: fresh memory for each would cost more than the copy into it. */
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

  write(header: Header, bodies?: readonly Uint8Array[]): void {
    this.#unsent.push(frameOf(header, bodies, size => this.#allocate(size)))
    if (this.#unsent.length === 1) this.#send()
  }

  /** Closes this end once all is sent. */
  end(): void {
    this.#socket?.end()
  }

  /** Closes it at once. */
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
      const sent = Math.max(0, this.#socket?.write(next) ?? 0) // -1: closed, which is told by its own event
      if (sent < next.byteLength) {
        this.#unsent[0] = next.subarray(sent)
        return
      }
      this.#unsent.shift()
    }
  }
}
