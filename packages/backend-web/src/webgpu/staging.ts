/** What values pass through between JavaScript and the device. */

/** Values as the device has them, or two halves in 4 bytes. */
export type Values = Float32Array | Int32Array | Uint32Array | Uint16Array

/** Buffers that are read, used again by reads of about their size. */
export class Staging {
  readonly #device: GPUDevice
  readonly #free: GPUBuffer[] = []

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** A buffer of at least so many bytes. */
  acquire(bytes: number): GPUBuffer {
    const index = this.#free.findIndex(({ size }) => size >= bytes && size <= 2 * Math.max(bytes, 2 ** 16))
    const [found] = index < 0 ? [] : this.#free.splice(index, 1)
    if (found) return found
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 2 ** 12)))
    const { MAP_READ, COPY_DST } = GPUBufferUsage
    return this.#device.createBuffer({ label: 'staging', size, usage: MAP_READ | COPY_DST })
  }

  /** Keeps a buffer, and lets the oldest go where there are many. */
  release(buffer: GPUBuffer): void {
    this.#free.push(buffer)
    if (this.#free.length > MOST_BUFFERS) this.#free.shift()?.destroy()
  }

  /** Lets all go. */
  dispose(): void {
    for (const buffer of this.#free) buffer.destroy()
  }
}

/** As many as reads may begin together. */
const MOST_BUFFERS = 32

/** The values in memory that `writeBuffer` takes, which is not shared, of a length that is a multiple of 4 bytes. */
export function plainBytes(values: Values): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (bytes.byteLength % 4 === 0 && bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>
  const copy = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4)
  copy.set(bytes)
  return copy
}
