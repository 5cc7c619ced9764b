// Takes the place of the buffer pool in a sanitized build: each array has memory of its own, so that the sanitizer sees
// what touches its neighbours, and is NaN before it is written and after it is given back.
export class BufferPool {
  #system
  liveBytes = 0
  freeBytes = 0

  constructor(system) {
    this.#system = system
  }

  acquire(length) {
    if (length === 0) return new Float32Array(0)
    this.liveBytes += length * 4
    return new Float32Array(this.#system.allocate(length * 4), 0, length).fill(Number.NaN)
  }

  release(array) {
    this.liveBytes -= array.byteLength
    array.fill(Number.NaN)
  }
}
