/** Runs of real processes through shared memory: what they sum, in which order, and what they refuse to begin. */
import { afterEach, describe, expect, test } from 'bun:test'
import { endAll, endOf, linux, newId, startRun } from '../test/local-ranks.ts'
import { connect, connectLocal } from './collectives.ts'

afterEach(endAll)

describe.skipIf(!linux)('through shared memory', () => {
  const counts = [0, 1, 3, 256, 4096, 4097, 99_991, 262_144, 262_145, 1_000_003]

  test.each([1, 2, 3, 4])('%d ranks have the bits of a plain loop', async worldSize => {
    const ends = await endOf(startRun('sums', worldSize, { taskOptions: { counts } }))
    expect(ends).toEqual(Array.from({ length: worldSize }, () => ({ result: counts.map(() => 0), leaked: 0 })))
  })

  test('64 MB pass through the segment', async () => {
    const ends = await endOf(startRun('sums', 2, { taskOptions: { counts: [16_777_216] } }))
    expect(ends.map(({ result }) => result)).toEqual([[0], [0]])
  })

  test('operations that begin together run in that order', async () => {
    const ends = await endOf(startRun('queued', 3))
    const result = { wrong: 0, between: true, copied: true, gathered: [0, 700_000, 1_400_000], right: true }
    expect(ends).toEqual(Array.from({ length: 3 }, () => ({ result, leaked: 0 })))
  })

  test('small arrays stay where they are', async () => {
    const ends = await endOf(startRun('small', 2))
    for (const { result } of ends)
      expect(result).toEqual([
        [2, 4, 6],
        [2, 4, 6],
      ])
  })

  test('the last to come to something short waits for no turn of the event loop; the order is kept', async () => {
    const [first, last] = await endOf(startRun('late', 2))
    const order = [100_000, 1]
    expect(first).toMatchObject({ result: { atOnce: Array(5).fill(false), order } })
    expect(last).toMatchObject({ result: { atOnce: [true, true, true, true, false], order } })
  })

  test('collectives run in Node', async () => {
    const [runtime] = [Bun.which('node') ?? '']
    const ends = await endOf(startRun('sums', 2, { taskOptions: { counts }, runtime }))
    expect(ends.map(({ error, result }) => error ?? result)).toEqual([counts.map(() => 0), counts.map(() => 0)])
  })

  test.each([
    [['ten', 'eleven'], 'rank 0 began allReduce of 10 floats, rank 1 allReduce of 11 floats'],
    [['three', 'four'], 'rank 0 began allGather of 3 bytes, rank 1 allGather of 4 bytes'],
    [['ten', 'barrier'], 'rank 0 began allReduce of 10 floats, rank 1 barrier'],
    [['ten', 'ten', 'fromZero'], 'rank 0 began allReduce of 10 floats, rank 2 broadcast of 40 bytes from rank 0'],
    [
      ['fromZero', 'fromOne'],
      'rank 0 began broadcast of 40 bytes from rank 0, rank 1 broadcast of 40 bytes from rank 1',
    ],
  ])('%p is refused by all before anything is written', async (operations, message) => {
    const ends = await endOf(startRun('differs', operations.length, { taskOptions: { operations } }))
    for (const { result } of ends) {
      const { failure, next, untouched } = result as { failure: string; next: string; untouched: boolean }
      expect(failure).toContain(message)
      expect(next).toBe(failure)
      expect(untouched).toBe(true)
    }
  })

  test('1000 operations leave no descriptor and no thread', async () => {
    for (const { result } of await endOf(startRun('counted', 2))) {
      const { before, after, closed, refused } = result as Record<string, { descriptors: number; threads: number }>
      expect(before?.threads).toBe(1)
      expect(after).toEqual(before as typeof after & object)
      expect(closed?.threads).toBe(0)
      expect(closed?.descriptors).toBeLessThan(after?.descriptors ?? 0)
      expect(String(refused)).toContain('have been closed')
    }
  })

  test.each([process.execPath, Bun.which('node') ?? ''])('%s ends when nothing is begun', async runtime => {
    const ranks = startRun('forgotten', 2, { runtime })
    for (const { result } of await endOf(ranks)) expect(result).toBe('still here')
    expect(ranks.map(rank => rank.process.exitCode)).toEqual([0, 0])
  })

  test.each([process.execPath, Bun.which('node') ?? ''])('%s can exit amid an operation', async runtime => {
    const ranks = startRun('exits', 2, { runtime })
    await endOf(ranks)
    expect(ranks.map(rank => rank.process.exitCode)).toEqual([3, 3])
  })
})

test('what cannot be is refused before anybody is waited for', async () => {
  const options = { rank: 0, worldSize: 2, id: newId() }
  await expect(connect('smoke' as 'local', options)).rejects.toThrow(
    "no engine 'smoke' for collectives; expected local, mpi, nccl.",
  )
  if (!linux) return await expect(connectLocal(options)).rejects.toThrow('need Linux')
  await expect(connectLocal({ ...options, rank: 2 })).rejects.toThrow('rank is 2; expected a whole number from 0 to 1')
  await expect(connectLocal({ ...options, worldSize: 0 })).rejects.toThrow('worldSize is 0')
  await expect(connectLocal({ ...options, timeout: 0 })).rejects.toThrow('timeout is 0')
  await expect(connectLocal({ ...options, token: 'x'.repeat(501) })).rejects.toThrow('token has 501 bytes')
})
