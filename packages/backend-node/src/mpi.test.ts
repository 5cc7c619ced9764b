/** Runs of real processes under each mpirun that is installed: the same sums as through shared memory, and who is blamed. */
import { afterEach, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { mpiLibraries } from './native/mpi-libraries.ts'

const program = join(import.meta.dir, '../test/collectives-rank.mjs')
const mpiruns = ['mpirun.openmpi', 'mpirun.mpich'].filter(name => Bun.which(name))
if (mpiruns.length === 0)
  console.log('skipped: collectives through MPI, for neither Open MPI nor MPICH is there (apt-get install openmpi-bin)')

interface Line {
  at?: string
  rank?: number
  pid?: number
  result?: unknown
  error?: string
  /** The rank that failed, where the error is another's. */
  waitedFor?: number
}

/** Unless all that is left of it is its entry in the table. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const running = new Set<Subprocess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

class Run {
  readonly lines: Line[] = []
  readonly #child: Subprocess<'ignore', 'pipe', 'pipe'>
  readonly ended: Promise<number>
  stderr = ''

  constructor(mpirun: string, worldSize: number, task: string, connect: object, options: object, runtime: string) {
    const oversubscribe = mpirun.endsWith('openmpi') ? ['--oversubscribe'] : []
    const place = [...oversubscribe, '-n', String(worldSize), runtime, program, 'mpi', task]
    this.#child = Bun.spawn([mpirun, ...place, JSON.stringify(connect), JSON.stringify(options)], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
    })
    running.add(this.#child)
    this.ended = this.#read()
  }

  async #read(): Promise<number> {
    const stderr = new Response(this.#child.stderr).text()
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of this.#child.stdout) {
      const lines = (rest + decoder.decode(bytes)).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line))
    }
    this.stderr = await stderr
    return await this.#child.exited
  }

  /** @returns the process id of each rank, once all are connected */
  async connected(worldSize: number): Promise<number[]> {
    const there = () => this.lines.filter(({ at }) => at === 'connected')
    while (there().length < worldSize) await Bun.sleep(10)
    return there()
      .sort((a, b) => Number(a.rank) - Number(b.rank))
      .map(({ pid }) => pid as number)
  }

  get results(): unknown[] {
    return this.lines.flatMap(({ result }) => (result === undefined ? [] : [result]))
  }

  /** At least one where ranks fail together: mpirun ends the others once one has ended, written or not. */
  get errors(): string[] {
    return this.lines.flatMap(({ error }) => error ?? [])
  }

  /** The ranks that the errors name. */
  get waitedFor(): (number | undefined)[] {
    return this.lines.flatMap(({ error, waitedFor }) => (error ? [waitedFor] : []))
  }
}

describe.each(mpiruns)('under %s', mpirun => {
  const start = (task: string, worldSize = 2, connect = {}, options = {}, runtime = process.execPath): Run =>
    new Run(mpirun, worldSize, task, { timeout: 60_000, ...connect }, options, runtime)
  const counts = [0, 1, 3, 4097, 99_991, 1_000_003]

  test.each([1, 2, 3])('%d ranks have the bits of a plain loop', async worldSize => {
    const run = start('sums', worldSize, {}, { counts })
    expect(await run.ended).toBe(0)
    expect(run.results).toEqual(Array.from({ length: worldSize }, () => counts.map(() => 0)))
  })

  test('an array passes in several parts', async () => {
    const run = start('sums', 2, {}, { counts: [20_000_001] })
    expect(await run.ended).toBe(0)
    expect(run.results).toEqual([[0], [0]])
  })

  test('operations that begin together run in that order', async () => {
    const run = start('queued', 3)
    expect(await run.ended).toBe(0)
    const right = { wrong: 0, between: true, copied: true, gathered: [0, 700_000, 1_400_000], right: true }
    expect(run.results).toEqual([right, right, right])
  })

  test('collectives run in Node', async () => {
    const run = start('sums', 2, {}, { counts }, Bun.which('node') ?? '')
    expect(await run.ended).toBe(0)
    expect(run.results).toEqual([counts.map(() => 0), counts.map(() => 0)])
  })

  test.each([
    [['ten', 'eleven'], 'rank 0 began allReduce of 10 floats, rank 1 allReduce of 11 floats'],
    [
      ['fromZero', 'fromOne'],
      'rank 0 began broadcast of 40 bytes from rank 0, rank 1 broadcast of 40 bytes from rank 1',
    ],
  ])('%p is refused before anything is written', async (operations, message) => {
    const run = start('differs', 2, {}, { operations })
    await run.ended
    expect(run.results).not.toBeEmpty()
    for (const result of run.results) {
      const { failure, next, untouched } = result as { failure: string; next: string; untouched: boolean }
      expect(failure).toContain(message)
      expect(next).toBe(failure)
      expect(untouched).toBe(true)
    }
  })

  test('a stopped rank is named by those that wait, and ended', async () => {
    const run = start('reduceForever', 3, { timeout: 2000 })
    const pids = await run.connected(3)
    process.kill(pids[1] as number, 'SIGSTOP')
    expect(await run.ended).not.toBe(0)
    // mpirun wakes it to end it: it may still say that the others have failed.
    const others = run.errors.filter(error => !error.includes('failed on rank 1'))
    expect(others.length).toBeGreaterThan(0)
    for (const error of others) expect(error).toContain('allReduce of 1000000 floats')
    expect(others.filter(error => /rank 1 has not come within 2000 ms/.test(error)).length).toBeGreaterThan(0)
    expect(pids.filter(isRunning)).toEqual([])
  })

  test('a straggler is named before it is given up', async () => {
    const run = start('waitForZero', 3, { timeout: 15_000 })
    const pids = await run.connected(3)
    await Bun.sleep(4000)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await run.ended
    const said = run.stderr.split('\n').filter(line => line.startsWith('vitral: '))
    expect(said).toEqual([
      expect.stringMatching(
        /^vitral: barrier \(operation \d+\) has waited on rank 1 for 2\.\d s: rank 0 has not come$/,
      ),
    ])
  })

  test('a missing rank is named', async () => {
    const run = start('waitForZero', 2, { timeout: 1000 })
    expect(await run.ended).not.toBe(0)
    expect(run.errors).toEqual([
      expect.stringMatching(/^barrier .* failed on rank 1: rank 0 has not come within 1000 ms/),
    ])
    expect(run.waitedFor).toEqual([0])
  })

  test('a killed rank ends the others', async () => {
    const run = start('reduceForever', 3)
    const pids = await run.connected(3)
    process.kill(pids[2] as number, 'SIGKILL')
    expect(await run.ended).not.toBe(0)
    expect(pids.filter(isRunning)).toEqual([])
  })

  test('a rank that closes early is named by those that wait for it', async () => {
    const run = start('closesEarly', 2)
    await run.ended
    expect(run.errors).toEqual([expect.stringContaining('failed on rank 1: rank 0 has closed its collectives')])
    expect(run.waitedFor).toEqual([0])
  })

  test('a failing rank tells the others its error', async () => {
    const run = start('fails', 2)
    expect(await run.ended).not.toBe(0)
    // mpirun may end the other before it has said so.
    for (const error of run.errors) expect(error).toContain('failed on rank 1: rank 0 failed: the disk is full')
    for (const rank of run.waitedFor) expect(rank).toBe(0)
  })

  test('other tokens are refused', async () => {
    const run = start('sums', 2, { tokenByRank: ['recipe a', 'recipe b'] }, { counts: [10] })
    await run.ended
    expect(run.errors).not.toBeEmpty()
    expect([
      "Connecting failed on rank 0: rank 1 has 'recipe b', and rank 0 'recipe a'",
      "Connecting failed on rank 1: rank 0 has 'recipe a', and rank 1 'recipe b'",
    ]).toEqual(expect.arrayContaining(run.errors))
  })

  test('another world size is refused', async () => {
    const run = start('sums', 2, { worldSize: 3 }, { counts: [10] })
    await run.ended
    expect(run.errors).not.toBeEmpty()
    for (const error of run.errors) expect(error).toMatch(/^this is to be rank \d of 3, but .* has it as rank \d of 2;/)
  })
})

test('without an MPI it says what was looked for', async () => {
  const child = Bun.spawn([process.execPath, program, 'mpi', 'sums', '{"rank":0,"worldSize":2}'], {
    stdout: 'pipe',
    env: { ...process.env, VITRAL_MPI: '/nowhere/libmpi.so' },
  })
  const { error } = JSON.parse(await new Response(child.stdout).text()) as Line
  expect(error).toMatch(/^No MPI is installed here: .*openmpi-bin.*\n {2}\/nowhere\/libmpi\.so: cannot open/)
})

test("the library is that of whose mpirun's variables are there", () => {
  expect(mpiLibraries({ PMI_SIZE: '2' }, 'linux')[0]).toBe('libmpich.so.12')
  expect(mpiLibraries({ OMPI_COMM_WORLD_SIZE: '2', PMI_SIZE: '2' }, 'linux')[0]).toBe('libmpi.so.40')
  expect(mpiLibraries({}, 'darwin')[0]).toBe('libmpi.40.dylib')
  expect(mpiLibraries({ VITRAL_MPI: '/opt/libmpi.so' }, 'linux')).toEqual(['/opt/libmpi.so'])
})
