/** The memory of native tensors: the system's, aligned for the kernels. */
import type { KernelMemory } from '@vitral/core/kernels'
import { loadAddon } from './addon.ts'

export const nativeMemory: KernelMemory = {
  // What no tensor has touched costs address space alone.
  chunkBytes: 256 * 2 ** 20,
  // The addon reads any array, and a small one is cheaper than a place in the pool.
  smallest: 1024,
  allocate(bytes) {
    const buffer = loadAddon().allocate(bytes)
    return { buffer, byteOffset: 0, byteLength: buffer.byteLength, holds: array => array.buffer === buffer }
  },
  discard({ buffer }) {
    loadAddon().discard(buffer as ArrayBuffer)
  },
}
