/** Frames of the messages between the server and its worker processes: a JSON header and raw bytes, each length-prefixed. */
import { releaseBuffer } from './release-buffer.ts'

export type Header = Record<string, unknown>

export interface Frame {
  header: Header
  body: Uint8Array
  /** Releases the body's memory, which must not be read afterwards. */
  free(): void
}

/** Bytes of the prefix: two lengths, uint32 each, little-endian. */
const PREFIX = 8

/**
 * Writes a frame into one buffer: a write per part costs more than the copy.
 *
 * @param allocate returns a buffer of a number of bytes
 */
export function frameOf(
  header: Header,
  bodies: readonly Uint8Array[] = [],
  allocate: (size: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const bodySize = bodies.reduce((sum, body) => sum + body.byteLength, 0)
  const frame = allocate(PREFIX + json.length + bodySize)
  frame.writeUInt32LE(json.length, 0)
  frame.writeUInt32LE(bodySize, 4)
  frame.set(json, PREFIX)
  let at = PREFIX + json.length
  for (const body of bodies) {
    frame.set(body, at)
    at += body.byteLength
  }
  return frame
}

/** Reassembles the frames of a stream, however it is cut into chunks. */
export class FrameReader {
  #chunks: Uint8Array[] = []
  #size = 0
  /** Bytes needed for the next step: a prefix, or a whole frame. */
  #needed = PREFIX

  /** @returns the frames that this chunk completes */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    const frames: Frame[] = []
    while (this.#size >= this.#needed) {
      const bytes = joined(this.#chunks)
      const end = PREFIX + bytes.readUInt32LE(0) + bytes.readUInt32LE(4)
      if (bytes.length < end) {
        this.#chunks = [bytes]
        this.#needed = end
        break
      }
      const bodyStart = PREFIX + bytes.readUInt32LE(0)
      const header = JSON.parse(bytes.toString('utf8', PREFIX, bodyStart)) as Header
      const frame = bytes.subarray(0, end)
      frames.push({ header, body: frame.subarray(bodyStart), free: () => releaseBuffer(frame) })
      this.#chunks = bytes.length > end ? [bytes.subarray(end)] : []
      this.#size = bytes.length - end
      this.#needed = PREFIX
    }
    return frames
  }
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks
  if (chunks.length > 1 || !first) {
    const bytes = Buffer.concat(chunks)
    for (const chunk of chunks) releaseBuffer(chunk)
    return bytes
  }
  return Buffer.from(first.buffer, first.byteOffset, first.length)
}

/** Views floats as bytes, without a copy. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Copies bytes into floats: a message's bytes may begin at any offset. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT)
  bytesOf(floats).set(bytes)
  return floats
}
