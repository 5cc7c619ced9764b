import { expect, test } from 'bun:test'
import { BufferPool } from './buffer-pool.ts'

const MB = 2 ** 18 // floats

function pool(): { pool: BufferPool; discarded: number[]; wait: (milliseconds: number) => void } {
  const discarded: number[] = []
  let now = 0
  const system = {
    chunkBytes: 256 * 2 ** 20,
    smallest: 1024,
    allocate: (bytes: number) => {
      const buffer = new ArrayBuffer(bytes)
      return { buffer, byteOffset: 0, byteLength: bytes, holds: (array: Float32Array) => array.buffer === buffer }
    },
    discard: ({ byteLength }: { byteLength: number }) => void discarded.push(byteLength),
  }
  const wait = (milliseconds: number) => {
    now += milliseconds
  }
  return { pool: new BufferPool(system, () => now), discarded, wait }
}

test('arrays never overlap, begin on cache lines and have their length, whatever comes and goes', () => {
  const { pool: p } = pool()
  let state = 1
  const random = (n: number) => {
    state = (state * 48271) % 2147483647
    return state % n
  }
  const held: { array: Float32Array; mark: number }[] = []
  let floats = 0
  for (let i = 0; i < 3000; i++) {
    if (random(5) < 3 || held.length === 0) {
      const length = 1024 + random(50_000)
      const array = p.acquire(length)
      expect([array.length, array.byteOffset % 64]).toEqual([length, 0])
      array.fill(i)
      held.push({ array, mark: i })
      floats += Math.ceil(length / 16) * 16
    } else {
      const [{ array, mark }] = held.splice(random(held.length), 1) as [(typeof held)[0]]
      expect(array[0] === mark && array.at(-1) === mark && array.every(value => value === mark)).toBe(true)
      p.release(array)
      floats -= Math.ceil(array.length / 16) * 16
    }
    expect(p.liveBytes).toBe(4 * floats)
  }
})

test('what small arrays gave back, a large one can have, and the other way round', () => {
  const { pool: p } = pool()
  const small = Array.from({ length: 256 }, () => p.acquire(MB))
  const whole = p.liveBytes + p.freeBytes
  for (const array of [...small.filter((_, i) => i % 2), ...small.filter((_, i) => i % 2 === 0)]) p.release(array)
  expect(p.liveBytes).toBe(0)
  const large = p.acquire(256 * MB)
  expect(large.length).toBe(256 * MB)
  p.release(large)
  for (let i = 0; i < 256; i++) p.acquire(MB)
  expect(p.liveBytes + p.freeBytes).toBe(whole)
})

test('a request takes the tightest place, and one larger than a chunk gets a chunk of its own', () => {
  const { pool: p } = pool()
  const a = p.acquire(10 * MB)
  p.acquire(MB)
  const c = p.acquire(3 * MB)
  p.acquire(MB)
  p.release(a)
  p.release(c)
  expect(p.acquire(3 * MB).byteOffset).toBe(c.byteOffset)
  expect(p.acquire(300 * MB).buffer.byteLength).toBe(300 * 2 ** 20)
})

test('a chunk that has been empty for half a minute goes, one with a tensor never', () => {
  const { pool: p, discarded, wait } = pool()
  const [stays, goes] = [p.acquire(200 * MB), p.acquire(100 * MB)]
  expect(stays.buffer).not.toBe(goes.buffer)
  p.release(goes)
  wait(29_000)
  p.release(p.acquire(100 * MB)) // used again: its time begins anew
  wait(29_000)
  p.acquire(MB)
  expect(discarded).toEqual([])
  wait(2_000)
  p.acquire(MB)
  expect(discarded).toEqual([256 * 2 ** 20])
  expect(stays.length).toBe(200 * MB)
})

test('small arrays are plain ones', () => {
  const { pool: p } = pool()
  p.release(p.acquire(1023))
  expect([p.liveBytes, p.freeBytes]).toEqual([0, 0])
})
