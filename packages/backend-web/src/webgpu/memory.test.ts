import { beforeEach, describe, expect, test } from 'bun:test'
import type { DeviceErrors } from './errors.ts'
import { Memory, type Range } from './memory.ts'

const MIB = 2 ** 20

/** What Memory asks of a device. */
function fakeDevice(limit: number): { device: GPUDevice; destroyed: number[] } {
  const destroyed: number[] = []
  const createBuffer = ({ size }: GPUBufferDescriptor) => ({ size, destroy: () => destroyed.push(size) })
  const limits = { maxBufferSize: 2 * limit, maxStorageBufferBindingSize: limit }
  return { device: { createBuffer, limits } as unknown as GPUDevice, destroyed }
}

const errors = { label: 'a test', during: <T>(_: undefined, run: () => T) => run() } as unknown as DeviceErrors

const place = ({ chunk, offset, size }: Range): string => `${chunk}:${offset}+${size}`

describe('memory of a WebGPU device', () => {
  let memory: Memory
  let destroyed: number[]

  beforeEach(() => {
    // As WebGPU has it, which may be there when this test runs, or not.
    globalThis.GPUBufferUsage ??= { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8 } as typeof GPUBufferUsage
    const fake = fakeDevice(128 * MIB)
    destroyed = fake.destroyed
    memory = new Memory(fake.device, errors)
  })

  test('ranges begin where every device can bind them, and never overlap', () => {
    const ranges = [1, 256, 257, 4000, 3].map(bytes => memory.acquire(bytes))
    expect(ranges.map(({ offset }) => offset)).toEqual([0, 256, 512, 1024, 5120])
    expect(ranges.map(({ size }) => size)).toEqual([256, 256, 512, 4096, 256])
    expect(memory.liveBytes).toBe(5376)
  })

  test('the smallest free range that fits is taken, and neighbours are joined', () => {
    const ranges = [1024, 256, 512, 256, 512].map(bytes => memory.acquire(bytes))
    const [large, between, middle, , last] = ranges as [Range, Range, Range, Range, Range]
    memory.release(large)
    memory.release(middle)
    expect(memory.acquire(500).offset).toBe(middle.offset)
    memory.release(between)
    expect(memory.acquire(1280).offset).toBe(0) // what `large` and `between` had
    memory.release(last)
    expect(memory.acquire(2 ** 14).offset).toBe(last.offset) // with all that comes after it
  })

  test('a step that frees what it acquires finds the same ranges each time, in whatever order it frees them', () => {
    const sizes = Array.from({ length: 200 }, (_, i) => ((i * 7919) % 23) * 1000 + 1)
    const kept = sizes.slice(0, 20).map(bytes => memory.acquire(bytes))
    const step = (stride: number): string => {
      const ranges = sizes.map(bytes => memory.acquire(bytes))
      const places = ranges.map(place).join()
      for (let i = 0; i < ranges.length; i++) memory.release(ranges[(i * stride) % ranges.length] as Range)
      memory.submitted()
      return places
    }
    const first = step(1)
    for (const stride of [3, 7, 199, 1]) expect(step(stride)).toBe(first)
    for (const range of kept) memory.release(range)
    expect(memory.liveBytes).toBe(0)
  })

  test('chunks grow with what is needed, and are never larger than a kernel can bind', () => {
    for (let i = 0; i < 300; i++) memory.acquire(MIB)
    expect(memory.allocatedBytes).toBeLessThan(1.5 * 300 * MIB)
    expect(memory.acquire(100 * MIB).size).toBe(100 * MIB)
    expect(memory.acquire(128 * MIB).buffer.size).toBe(128 * MIB)
    expect(memory.limit).toBe(128 * MIB)
  })

  test('memory that queued commands may use is told, until they are submitted', () => {
    const range = memory.acquire(1000)
    expect(memory.isRecycled(range)).toBe(false)
    memory.release(range)
    const again = memory.acquire(10)
    expect(memory.isRecycled(again)).toBe(true)
    memory.submitted()
    expect(memory.isRecycled(again)).toBe(false)
  })

  test('a chunk that has been empty for long goes back, and those in use stay', () => {
    const used = memory.acquire(MIB)
    const large = memory.acquire(50 * MIB)
    memory.release(large)
    let gone = false
    for (let i = 0; i < 100; i++) gone = memory.submitted() || gone
    expect(gone).toBe(true)
    expect(destroyed).toEqual([50 * MIB])
    expect(memory.allocatedBytes).toBe(used.buffer.size)
  })
})
