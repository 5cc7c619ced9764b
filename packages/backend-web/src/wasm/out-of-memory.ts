/** The error of a module that can have no more memory. */
export function outOfMemory(bytes: number, memory: WebAssembly.Memory): Error {
  const megabytes = (count: number) => Math.ceil(count / 2 ** 20).toLocaleString('en-US')
  const held = megabytes(memory.buffer.byteLength)
  const error = new Error(
    `WebAssembly has no ${megabytes(bytes)} MB of memory left beside the ${held} MB that it holds; a smaller batch takes less`,
  )
  return Object.assign(error, { code: 'ERR_OUT_OF_MEMORY' })
}
