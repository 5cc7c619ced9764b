/**
 * Sums through NCCL, in runs of real processes: through stand-ins of libnccl and libcudart, which are compiled here and end a
 * process that calls them as their documentation forbids; and through the real ones, where there is a CUDA device for each.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'

const program = join(import.meta.dir, '../test/collectives-rank.mjs')
const sources = join(import.meta.dir, '../test/fake-nccl')
const hasCompiler = process.platform === 'linux' && Bun.which('g++') !== null
if (!hasCompiler) console.log('skipped: the stand-ins of NCCL need Linux and g++')

const listed = spawnSync('nvidia-smi', ['--list-gpus'], { encoding: 'utf8' })
const devices = listed.status === 0 ? listed.stdout.trim().split('\n').length : 0
if (devices < 2) console.log(`skipped: the real NCCL needs two CUDA devices or more, and ${devices} are here`)

interface Line {
  at?: string
  result?: unknown
  error?: string
  /** The rank that failed, where the error is another's. */
  waitedFor?: number
}

type Variables = Record<string, string>
interface Ended extends Line {
  code: number | null
  stderr: string
}

interface Rank {
  process: Subprocess<'ignore', 'pipe', 'pipe'>
  lines: Line[]
  ended: Promise<Ended>
}

const running = new Set<Subprocess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

function spawn(command: string[], env: Variables): Rank {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env: { ...process.env, ...env } })
  running.add(child)
  const lines: Line[] = []
  const read = async (): Promise<Ended> => {
    const stderr = new Response(child.stderr).text()
    const decoder = new TextDecoder()
    let rest = ''
    for await (const bytes of child.stdout) {
      const parts = (rest + decoder.decode(bytes)).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line))
    }
    return { ...lines.at(-1), code: await child.exited, stderr: await stderr }
  }
  return { process: child, lines, ended: read() }
}

interface RunOptions {
  env?: Variables
  taskOptions?: object
  timeout?: number
}

function start(task: string, worldSize: number, options: RunOptions = {}): Rank[] {
  const { env = {}, taskOptions = {}, timeout = 60_000 } = options
  const id = `test ${randomUUID()}`
  return Array.from({ length: worldSize }, (_, rank) => {
    const place = { rank, worldSize, id, timeout }
    return spawn([process.execPath, program, 'nccl', task, JSON.stringify(place), JSON.stringify(taskOptions)], env)
  })
}

const endOf = (ranks: readonly Rank[]) => Promise.all(ranks.map(({ ended }) => ended))
const connected = async (ranks: readonly Rank[]) => {
  while (!ranks.every(({ lines }) => lines.some(({ at }) => at === 'connected'))) await Bun.sleep(10)
}

const counts = [0, 1, 3, 4097, 99_991, 1_000_003]
const several = [20_000_001] // more than one part, and the last one shorter

/** What every NCCL does. */
function conforms(env: () => Variables, worldSizes: readonly number[]): void {
  test.each([...worldSizes])('%d ranks have the same sums, within rounding', async worldSize => {
    const ends = await endOf(start('rounded', worldSize, { env: env(), taskOptions: { counts } }))
    const [first] = ends
    expect(first).toMatchObject({ result: { off: 0 }, code: 0, stderr: '' })
    for (const { result, code } of ends) expect([result, code]).toEqual([first?.result, 0])
  })

  test('an array passes in several parts', async () => {
    const ends = await endOf(start('rounded', 2, { env: env(), taskOptions: { counts: several } }))
    for (const { result } of ends) expect(result).toMatchObject({ off: 0 })
  })

  test('two ranks have the bits of the other engines, in the order in which sums are begun', async () => {
    const right = { wrong: 0, between: true, copied: true, gathered: [0, 700_000], right: true }
    for (const { result, code } of await endOf(start('queued', 2, { env: env() })))
      expect([result, code]).toEqual([right, 0])
  })

  test('copies, gathers of unequal sizes and meetings', async () => {
    const worldSize = worldSizes.at(-1) as number
    const gathered = Array.from({ length: worldSize }, (_, rank) => rank * 700_000)
    for (const { result, code } of await endOf(start('others', worldSize, { env: env() })))
      expect([result, code]).toEqual([{ copied: true, gathered, right: true }, 0])
  })

  test('what the ranks do differently is refused before anything is written', async () => {
    const ends = await endOf(start('differs', 2, { env: env(), taskOptions: { operations: ['ten', 'eleven'] } }))
    for (const { result, code } of ends) {
      const { failure, next, untouched } = result as { failure: string; next: string; untouched: boolean }
      expect(failure).toContain('rank 0 began allReduce of 10 floats, rank 1 allReduce of 11 floats')
      expect([next, untouched, code]).toEqual([failure, true, 0])
    }
  })

  test('one that is killed is named by the others, long before the timeout', async () => {
    const ranks = start('reduceForever', 2, { env: env() })
    await connected(ranks)
    ranks[1]?.process.kill('SIGKILL')
    const end = await ranks[0]?.ended
    expect(end?.error).toMatch(/^allReduce of 1000000 floats .*failed on rank 0: rank 1 \(process \d+\) has died$/)
    expect([end?.code, end?.stderr, end?.waitedFor]).toEqual([1, '', 1])
  }, 30_000)

  test('one that is stopped ends the others within the timeout', async () => {
    const ranks = start('reduceForever', 2, { env: env(), timeout: 2000 })
    await connected(ranks)
    ranks[0]?.process.kill('SIGSTOP')
    const end = await ranks[1]?.ended
    expect(end?.error).toMatch(/^allReduce of 1000000 floats .*failed on rank 1: .* within 2000 ms/)
    expect(end?.code).toBe(1)
    // Stopped between two sums it is told of early, as one that has not come; within a sum NCCL waits, and tells nothing.
    expect(end?.stderr).toMatch(
      /^(vitral: allReduce .* has waited on rank 1 .*: rank 0 \(process \d+\) has not come\n)?$/,
    )
  }, 30_000)

  test('one that stays away is named', async () => {
    const ranks = start('waitForZero', 2, { env: env(), timeout: 1000 })
    expect((await ranks[1]?.ended)?.error).toMatch(
      /^barrier .* failed on rank 1: rank 0 .* has not come within 1000 ms/,
    )
  })

  test('what one failed of is what the others are told', async () => {
    const [, other] = await endOf(start('fails', 2, { env: env() }))
    expect(other?.error).toMatch(/^barrier .* failed on rank 1: rank 0 \(process \d+\) failed: the disk is full$/)
    expect(other?.waitedFor).toBe(0)
  })
}

describe.skipIf(!hasCompiler)('through stand-ins', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-nccl-'))
  const [nccl, cudart] = [join(folder, 'libnccl.so.2'), join(folder, 'libcudart.so')]
  const env = { VITRAL_NCCL: nccl, VITRAL_CUDART: cudart }
  beforeAll(() => {
    compile(cudart, 'cudart.cpp')
    compile(nccl, 'nccl.cpp', `-L${folder}`, '-lcudart', '-Wl,-rpath,$ORIGIN')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function compile(to: string, source: string, ...more: string[]): void {
    const flags = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-pthread']
    const { status, stderr } = spawnSync('g++', [...flags, join(sources, source), '-o', to, ...more], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
  }

  conforms(() => env, [1, 2, 3])

  test('nothing stays', async () => {
    await endOf(start('rounded', 2, { env, taskOptions: { counts: [10] } }))
    expect(readdirSync('/dev/shm').filter(name => name.startsWith('fake-nccl-'))).toEqual([])
  })

  test('two ranks of one device are refused', async () => {
    const ends = await endOf(start('rounded', 3, { env: { ...env, FAKE_CUDA_DEVICES: '2' }, taskOptions: { counts } }))
    for (const { error, code } of ends) {
      expect(error).toMatch(/^ranks 0 and 2 both have the CUDA device 0000:00:00.0 of .*; start as many processes/)
      expect(code).toBe(1)
    }
  })

  test.each<[string, Variables, RegExp]>([
    ['no device', { ...env, FAKE_CUDA_DEVICES: '0' }, /needs a CUDA device, .*\(no CUDA-capable device is detected\)/],
    ['an old NCCL', { ...env, FAKE_NCCL_VERSION: '21304' }, /version code 21304; expected 21400 \(2\.14\.0\) or later/],
    [
      'no NCCL',
      { ...env, VITRAL_NCCL: '/nowhere/libnccl.so' },
      /^No NCCL is installed here: .*\n {2}\/nowhere\/libnccl/,
    ],
    ['no runtime', { ...env, VITRAL_CUDART: '/nowhere/cudart.so' }, /^No CUDA runtime .*\n {2}\/nowhere\/cudart\.so/],
    ['another library', { ...env, VITRAL_NCCL: cudart }, /libcudart\.so lacks ncclGetVersion; another version/],
  ])('%s is told', async (_, env, message) => {
    for (const { error, code } of await endOf(start('rounded', 1, { env, taskOptions: { counts: [1] } }))) {
      expect(error).toMatch(message)
      expect(code).toBe(1)
    }
  })

  const mpirun = Bun.which('mpirun.openmpi')
  if (!mpirun) console.log('skipped: NCCL beside MPI, for Open MPI is not there')

  test.skipIf(!mpirun)('processes of mpirun meet by it', async () => {
    const place = JSON.stringify({ meet: 'mpi', timeout: 60_000 })
    const command = [process.execPath, program, 'nccl', 'rounded', place, JSON.stringify({ counts })]
    const asRoot = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
    const run = spawn([mpirun as string, '--oversubscribe', '-n', '2', ...command], { ...env, ...asRoot })
    expect((await run.ended).code).toBe(0)
    const results = run.lines.flatMap(({ result }) => (result ? [result] : []))
    expect(results).toHaveLength(2)
    expect(results[1]).toEqual(results[0] as object)
    expect(results[0]).toMatchObject({ off: 0 })
  })
})

describe.skipIf(devices < 2)('through the NCCL that is installed', () => {
  conforms(() => ({}), devices > 2 ? [2, 3] : [2])
})
