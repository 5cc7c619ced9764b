/** Runs of real processes: what they sum, how they meet, and what the others are told when one ends or stops. */
import { afterEach, describe, expect, test } from 'bun:test'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { type ConnectOptions, connect, connectLocal, removeLeftFiles } from './collectives.ts'

const program = join(import.meta.dir, '../test/collectives-rank.mjs')
const linux = process.platform === 'linux'
if (!linux) console.log('skipped: collectives through shared memory need Linux')

interface Line {
  at?: string
  result?: unknown
  leaked?: number
  error?: string
  /** Of the error: the rank it is of, where it is another's. */
  waitedFor?: number
}

/** A process of the run, and what it writes. */
class Rank {
  readonly lines: Line[] = []
  readonly process: Subprocess<'ignore', 'pipe', 'inherit'>
  readonly ended: Promise<Line>
  #waiting: (() => void)[] = []

  constructor(task: string, options: ConnectOptions, taskOptions: object = {}, runtime = process.execPath) {
    const command = [runtime, program, 'local', task, JSON.stringify(options), JSON.stringify(taskOptions)]
    this.process = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
    running.add(this)
    this.ended = this.#read()
  }

  async #read(): Promise<Line> {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of this.process.stdout) {
      const lines = (rest + decoder.decode(bytes)).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines.map(line => JSON.parse(line) as Line))
      for (const wake of this.#waiting.splice(0)) wake()
    }
    await this.process.exited
    for (const wake of this.#waiting.splice(0)) wake()
    return this.lines.at(-1) ?? {}
  }

  async connected(): Promise<void> {
    while (!this.lines.some(({ at }) => at === 'connected')) {
      if (this.lines.some(({ error }) => error)) throw new Error(this.lines.at(-1)?.error)
      await new Promise<void>(wake => this.#waiting.push(wake))
    }
  }
}

const running = new Set<Rank>()

afterEach(() => {
  for (const rank of running) rank.process.kill('SIGKILL')
  running.clear()
})

const newId = () => `test ${randomUUID()}`
const fileOf = (id: string) =>
  `/dev/shm/vitral-${process.getuid?.()}-${createHash('sha256').update(id).digest('hex').slice(0, 32)}`

const token = 'recipe a'

/** Until so many processes have written that token into the run's file. */
async function haveCome(id: string, count: number): Promise<void> {
  while (!existsSync(fileOf(id)) || readFileSync(fileOf(id), 'latin1').split(token).length <= count) await Bun.sleep(10)
}

function startRun(
  task: string,
  worldSize: number,
  { taskOptions, runtime, ...options }: Partial<ConnectOptions> & { taskOptions?: object; runtime?: string } = {},
): Rank[] {
  const id = options.id ?? newId()
  return Array.from(
    { length: worldSize },
    (_, rank) => new Rank(task, { timeout: 60_000, ...options, id, rank, worldSize }, taskOptions, runtime),
  )
}

const endOf = (ranks: readonly Rank[]) => Promise.all(ranks.map(({ ended }) => ended))

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

  test('what is begun together runs in that order', async () => {
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

  test('in Node', async () => {
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

describe.skipIf(!linux)('when a rank', () => {
  test('is killed, the others are told which', async () => {
    const ranks = startRun('reduceForever', 3)
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[1]?.process.kill('SIGKILL')
    const [first, , last] = await endOf(ranks)
    for (const end of [first, last]) {
      expect(end?.error).toMatch(/^allReduce of 1000000 floats .* failed on rank \d: rank 1 \(process \d+\) has died$/)
      expect(end?.waitedFor).toBe(1)
    }
  })

  test('is stopped, the others time out and say for whom they waited', async () => {
    const ranks = startRun('reduceForever', 2, { timeout: 4000 })
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[0]?.process.kill('SIGSTOP')
    const end = await ranks[1]?.ended
    expect(end?.error).toMatch(/failed on rank 1: rank 0 \(process \d+\) has not come within 4000 ms/)
    expect(end?.waitedFor).toBe(0)
  })

  test('fails, the others are told of what', async () => {
    const [, ...others] = await endOf(startRun('fails', 3))
    for (const { error, waitedFor } of others) {
      expect(error).toMatch(/^barrier .* failed on rank \d: rank 0 \(process \d+\) failed: the disk is full$/)
      expect(waitedFor).toBe(0)
    }
  })

  test('stays away, one that waits is told when another dies meanwhile', async () => {
    const ranks = startRun('waitForZero', 3)
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[2]?.process.kill('SIGKILL')
    const end = await ranks[1]?.ended
    expect(end?.error).toMatch(/^barrier .* rank 2 \(process \d+\) has died$/)
    expect(end?.waitedFor).toBe(2)
  })
})

describe.skipIf(!linux)('before all have come', () => {
  test('who is missing is named, and nothing stays', async () => {
    const id = newId()
    const options = { id, worldSize: 4, timeout: 4000 }
    const ends = await endOf([new Rank('sums', { ...options, rank: 0 }), new Rank('sums', { ...options, rank: 2 })])
    for (const { error, waitedFor } of ends) {
      expect(error).toContain('of 4 ranks, these have not come within 4000 ms: 1, 3')
      expect(waitedFor).toBe(1)
    }
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('one that is killed ends the others, and nothing stays', async () => {
    const id = newId()
    const [killed, waiting] = [0, 1].map(rank => new Rank('sums', { id, rank, worldSize: 3, timeout: 60_000, token }))
    await haveCome(id, 2)
    killed?.process.kill('SIGKILL')
    const end = await waiting?.ended
    expect(end?.error).toMatch(/rank 0 \(process \d+\) has died while the others were coming/)
    expect(end?.waitedFor).toBe(0)
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('what a killed run has left is taken over by the next', async () => {
    const id = newId()
    const left = new Rank('sums', { id, rank: 1, worldSize: 2, timeout: 60_000, token })
    await haveCome(id, 1)
    left.process.kill('SIGKILL')
    await left.process.exited
    expect(existsSync(fileOf(id))).toBe(true)
    const ends = await endOf(startRun('sums', 2, { id, taskOptions: { counts: [10] } }))
    expect(ends.map(({ error, result }) => error ?? result)).toEqual([[0], [0]])
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('what killed runs have left is removed by another, and by who started them; what others use is not', async () => {
    const [first, second, waiting] = [newId(), newId(), newId()]
    const lone = (id: string) =>
      new Rank('sums', { id, rank: 1, worldSize: 2, timeout: 60_000, token }, { counts: [10] })
    const left = [lone(first), lone(second)]
    await Promise.all([haveCome(first, 1), haveCome(second, 1)])
    left[0]?.process.kill('SIGKILL')
    await left[0]?.process.exited
    const one = lone(waiting)
    await haveCome(waiting, 1)
    expect([first, second].map(id => existsSync(fileOf(id)))).toEqual([false, true])
    left[1]?.process.kill('SIGKILL')
    await left[1]?.process.exited
    removeLeftFiles()
    expect([second, waiting].map(id => existsSync(fileOf(id)))).toEqual([false, true])
    const other = new Rank('sums', { id: waiting, rank: 0, worldSize: 2, timeout: 60_000, token }, { counts: [10] })
    expect((await endOf([one, other])).map(({ error, result }) => error ?? result)).toEqual([[0], [0]])
  })

  test('one that is interrupted leaves nothing', async () => {
    const id = newId()
    const lone = new Rank('sums', { id, rank: 1, worldSize: 2, timeout: 60_000, token })
    await haveCome(id, 1)
    lone.process.kill('SIGUSR2')
    const { error, waitedFor } = await lone.ended
    expect(error).toContain('connecting was interrupted')
    expect(waitedFor).toBeUndefined()
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test.each([process.execPath, Bun.which('node') ?? ''])('%s that exits leaves nothing', async runtime => {
    const id = newId()
    const lone = new Rank('sums', { id, rank: 1, worldSize: 2, timeout: 60_000, token }, {}, runtime)
    await haveCome(id, 1)
    lone.process.kill('SIGTERM')
    await lone.ended
    expect(lone.process.exitCode).toBe(3)
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test.each([0, 100, 100_000])('a file of %d bytes that nobody holds is replaced', async bytes => {
    const id = newId()
    writeFileSync(fileOf(id), new Uint8Array(bytes).fill(1))
    const ends = await endOf(startRun('sums', 2, { id, taskOptions: { counts: [10] } }))
    expect(ends.map(({ error, result }) => error ?? result)).toEqual([[0], [0]])
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('a second run of an id is refused while the first goes on', async () => {
    const id = newId()
    const first = startRun('reduceForever', 2, { id })
    await Promise.all(first.map(rank => rank.connected()))
    for (const { error } of await endOf(startRun('sums', 2, { id })))
      expect(error).toContain('a run of this id is going on on this machine')
    expect(existsSync(fileOf(id))).toBe(false)
    for (const rank of first) rank.process.kill('SIGKILL')
    await endOf(first)
    const again = await endOf(startRun('sums', 2, { id, taskOptions: { counts: [10] } }))
    expect(again.map(({ result }) => result)).toEqual([[0], [0]])
  })

  test.each<[string, Partial<ConnectOptions>, RegExp]>([
    ['rank', { rank: 0 }, /rank 0 \(process \d+\) is there already: another run has this id, or two have this rank/],
    ['world size', { worldSize: 3 }, /its world size is 2, and here it is 3/],
    ['token', { token: 'recipe b' }, /rank 1 .*: rank 0 \(process \d+\) has 'recipe a', and here it is 'recipe b'/],
  ])('another %s is refused, and the run goes on', async (_, wrong, message) => {
    const id = newId()
    const options = { id, worldSize: 2, timeout: 60_000, token }
    const first = new Rank('sums', { ...options, rank: 0 }, { counts: [10] })
    await haveCome(id, 1)
    expect((await new Rank('sums', { ...options, rank: 1, ...wrong }).ended).error).toMatch(message)
    const second = new Rank('sums', { ...options, rank: 1 }, { counts: [10] })
    expect((await endOf([first, second])).map(({ result }) => result)).toEqual([[0], [0]])
  })
})

test.skipIf(!linux)(
  'a process that computes ends when the one that started it has',
  async () => {
    const child = `import { endWithParent } from '@vitral/backend-node/collectives'
    console.log(endWithParent(1), process.pid)
    for (;;);`
    const parent = `import { spawn } from 'node:child_process'
    spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' })`
    const started = Bun.spawn([process.execPath, '-e', parent], { cwd: import.meta.dir, stdout: 'pipe' })
    const reader = started.stdout.getReader()
    const [will, pid] = new TextDecoder()
      .decode((await reader.read()).value)
      .trim()
      .split(' ')
    expect(will).toBe('true')
    process.kill(started.pid, 'SIGKILL')
    const lives = () =>
      existsSync(`/proc/${pid}`) && /^State:\s+[^Z]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    for (let i = 0; i < 400 && lives(); i++) await Bun.sleep(50)
    expect(lives()).toBe(false)
  },
  30_000,
)

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
