/** Models whose tensors lie in more chunks of memory than one dispatch can bind. */
import { beforeEach, expect, test } from 'bun:test'
import type { WebgpuBackend } from './backend.ts'
import type { Range } from './memory.ts'
import { dispatchOverLists, listProgram, withPartials } from './tensor-list.ts'

const MIB = 2 ** 20
/** Elements that one workgroup takes. */
const TILE = 4096

interface Dispatch {
  ranges: Record<string, Range | undefined>
  constants: Record<string, number>
  workgroups: number
}

const chunk = (number: number): GPUBuffer => ({ size: 16 * MIB, number }) as unknown as GPUBuffer

const at = (number: number, offset: number, size = 256): Range => ({
  buffer: chunk(number),
  chunk: number,
  offset,
  size,
})

let dispatches: Dispatch[]
let uploads: number[][]
let backend: WebgpuBackend

beforeEach(() => {
  dispatches = []
  uploads = []
  let next = 0
  const sideMemory = { acquire: (size: number) => at(100, 256 * next++, size), release() {} }
  backend = {
    recorder: { sideMemory, upload: (_: Range, words: Uint32Array) => uploads.push([...words]) },
    dispatch: (_: unknown, ranges: Dispatch['ranges'], constants: Dispatch['constants'], workgroups: number) =>
      dispatches.push({ ranges, constants, workgroups }),
  } as unknown as WebgpuBackend
})

const doubled = listProgram({
  name: 'a test doubles',
  roles: ['x', 'y'],
  constants: { factor: 'f32' },
  each: (read, write) => write('y', `${read('x')} * constants.factor`),
})

test('binds as few chunks as the tensors lie in, and tells where each is', () => {
  const lists = { x: [at(3, 0), at(3, 512), at(5, 256)], y: [at(5, 1024), at(3, 1024), at(5, 2048)] }
  dispatchOverLists(backend, doubled, lists, [10, TILE + 1, 0], { factor: 2 })
  expect(dispatches.map(({ constants, workgroups }) => [constants, workgroups])).toEqual([
    [{ factor: 2, count: 2, tiles: 3, firstTile: 0 }, 3],
  ])
  const { chunk0, chunk1, chunk2 } = dispatches[0]?.ranges ?? {}
  expect([chunk0, chunk1, chunk2].map(range => range && [range.chunk, range.offset, range.size])).toEqual([
    [3, 0, 16 * MIB],
    [5, 0, 16 * MIB],
    undefined,
  ])
  // First tile and size, then the chunk's number and the place in four elements for x and for y.
  expect(uploads).toEqual([[0, 10, 0, 0, 1, 64, 1, TILE + 1, 0, 32, 0, 64]])
})

test('takes more dispatches where there are more chunks than can be bound, whose tiles are counted through', () => {
  const count = 20
  const x = Array.from({ length: count }, (_, i) => at(i, 0))
  const y = Array.from({ length: count }, (_, i) => at(50 + (i >> 2), 256 * i))
  const sizes = Array.from({ length: count }, () => 2 * TILE)
  withPartials(backend, sizes, (partials, tiles) => {
    expect(tiles).toBe(2 * count)
    expect(partials.size).toBe(8 * count)
    dispatchOverLists(backend, doubled, { x, y }, sizes, { factor: 1 }, partials)
  })
  expect(dispatches.reduce((sum, { constants }) => sum + (constants.count as number), 0)).toBe(count)
  let firstTile = 0
  for (const { ranges, constants } of dispatches) {
    const chunks = Object.keys(ranges).filter(name => name.startsWith('chunk'))
    expect(chunks.length).toBeLessThanOrEqual(7)
    expect(new Set(chunks.map(name => ranges[name]?.chunk)).size).toBe(chunks.length)
    expect(constants.firstTile).toBe(firstTile)
    firstTile += constants.tiles as number
  }
  expect(firstTile).toBe(2 * count)
})

test('a step that repeats finds its table on the device', () => {
  const lists = { x: [at(1, 0)], y: [at(2, 0)] }
  for (let step = 0; step < 3; step++) dispatchOverLists(backend, doubled, lists, [5], { factor: step })
  expect(uploads).toHaveLength(1)
  dispatchOverLists(backend, doubled, { ...lists, y: [at(2, 256)] }, [5], { factor: 1 })
  expect(uploads).toHaveLength(2)
})
