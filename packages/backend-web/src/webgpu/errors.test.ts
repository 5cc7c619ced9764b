/** What WebGPU reports beside its calls is thrown where the results are asked for. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { add, addN, engine, fill, tensor1d, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { whyNoGpu } from '../../test/gpu.ts'
import type { WebgpuBackend } from './backend.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of webgpu's errors: ${reason}`)

/** More elements than tfjs computes with on the CPU. */
const ELEMENTS = 5000

/** More than fit in the memory that a small program has from the device. */
const MANY_ELEMENTS = 2 ** 23

describe.skipIf(reason !== undefined)('webgpu', () => {
  beforeEach(() => useBackend('webgpu')) // after a device has failed, a new one
  afterAll(() => useBackend('cpu'))
  const backend = () => engine().backend as WebgpuBackend
  const sumOfTwo = () => tidy(() => add(fill([ELEMENTS], 2), fill([ELEMENTS], 3)))

  async function expectStartAnew(): Promise<void> {
    expect(() => sumOfTwo()).toThrow(/^Fill on webgpu: .* start it anew with useBackend\('webgpu'\)/)
    await useBackend('webgpu')
    const sum = sumOfTwo()
    expect((await sum.data())[ELEMENTS - 1]).toBe(5)
    sum.dispose()
  }

  test('adds more tensors than a kernel can bind, and leaves none behind', async () => {
    const { numTensors } = engine().memory()
    const bytesBefore = backend().memory().numBytesInGPU
    for (const count of [1, 2, 7, 8, 13, 14, 152]) {
      const tensors = Array.from({ length: count }, (_, i) => fill([ELEMENTS], i))
      const sum = addN(tensors)
      expect((await sum.data())[ELEMENTS - 1]).toBe((count * (count - 1)) / 2)
      for (const made of [...tensors, sum]) made.dispose()
    }
    expect(engine().memory().numTensors).toBe(numTensors)
    expect(backend().memory().numBytesInGPU).toBeLessThanOrEqual(bytesBefore)
  })

  test('refuses a tensor that no kernel can bind, naming op, size and limit, and goes on', async () => {
    const limit = backend().device.limits.maxStorageBufferBindingSize
    const rows = Math.floor(limit / 4 / 1000) + 1
    expect(() => fill([rows, 1000], 1)).toThrow(
      `Fill on webgpu: a tensor of shape [${rows}, 1000] has ${rows * 4000} bytes, and one kernel of this device reaches at most ${limit} of a tensor (maxStorageBufferBindingSize).`,
    )
    const sum = sumOfTwo()
    expect((await sum.data())[0]).toBe(5)
    sum.dispose()
  })

  test('throws what the device reports of a command, and nothing it computes from then on is read', async () => {
    const { device } = backend()
    const before = sumOfTwo()
    const { createBindGroup } = device
    // As a kernel does that binds what the device does not allow.
    device.createBindGroup = descriptor => createBindGroup.call(device, { ...descriptor, entries: [] })
    expect(() => add(before, 1)).toThrow(/^Add on webgpu: WebGPU refused a command of Add: .*Number of entries/)
    device.createBindGroup = createBindGroup
    await expect(before.data()).rejects.toThrow(/^Reading a tensor on webgpu: WebGPU refused a command of Add/)
    await expectStartAnew()
  })

  test('refuses to read at once, and names the way', async () => {
    const sum = sumOfTwo()
    expect(() => sum.dataSync()).toThrow('use await tensor.data() instead of dataSync()')
    sum.dispose()
    const values = tensor1d([1, 2])
    expect([...values.dataSync()]).toEqual([1, 2]) // they have not left
    values.dispose()
  })

  test('names the op whose memory the device cannot give', async () => {
    const { device } = backend()
    const { createBuffer } = device
    device.createBuffer = descriptor =>
      createBuffer.call(device, { ...descriptor, size: device.limits.maxBufferSize + 4 })
    expect(() => fill([MANY_ELEMENTS], 1)).toThrow(/^Fill on webgpu: .*Buffer size/)
    device.createBuffer = createBuffer
    await expectStartAnew()
  })

  test('names the op whose values find no memory', () => {
    const { device } = backend()
    const { createBuffer } = device
    device.createBuffer = () => {
      throw new RangeError('')
    }
    const values = tensor1d(new Float32Array(MANY_ELEMENTS))
    expect(() => add(values, 1)).toThrow(/^Add on webgpu: RangeError/)
    device.createBuffer = createBuffer
  })

  test('says that the device was lost, of what waits and of what comes after', async () => {
    const waiting = sumOfTwo()
    const read = waiting.data()
    backend().device.destroy()
    await expect(read).rejects.toThrow(/^Reading a tensor on webgpu: The WebGPU device was lost: .*destroyed/)
    await expectStartAnew()
    await expect(waiting.data()).rejects.toThrow('The WebGPU device was lost')
  })
})
