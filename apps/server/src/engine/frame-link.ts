/** One end of a socket between the server and a process of its own: whole messages out and in, however the socket cuts them. */
import { type Frame, FrameReader, frameOf, type Header } from './framing.ts'

export interface FrameLinkOptions {
  onOpen?(): void
  onFrame(frame: Frame): void
  /** The other end has closed, or this one has. */
  onClose(): void
}

export class FrameLink {
  /** For Bun.connect and Bun.listen, which open one socket with it. */
  readonly handlers: Bun.SocketHandler<undefined, 'buffer'>
  readonly #reader = new FrameReader()
  #socket: Bun.Socket<undefined> | undefined
  /** What the socket has not taken yet, in its order. */
  #unsent: Uint8Array[] = []

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
    this.#unsent.push(frameOf(header, bodies))
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
