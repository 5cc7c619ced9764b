/** The launcher with processes that do one thing each: they end together, nothing stays, the first failure is told. */
import { afterAll, describe, expect, test } from 'bun:test'
import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LaunchOptions, launch } from './launch.ts'
import { threadsEach } from './share-processors.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-launch-'))
afterAll(() => rmSync(folder, { recursive: true }))
const rankProgram = join(import.meta.dirname, '../../test/fake-rank.mjs')
let runs = 0

interface Told {
  rank: number
  pid: number
  [name: string]: unknown
}

function begin(what: string, options: Partial<LaunchOptions> = {}) {
  const log = join(folder, `${runs++}.jsonl`)
  const said: string[] = []
  const signals = new EventEmitter()
  const code = launch({
    ...{ command: process.execPath, args: () => [rankProgram, what, log], nproc: 3, say: line => said.push(line) },
    ...{ signals, ...options },
  })
  const told = (): Told[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .slice(0, -1) // a line that is still being written has no end
          .map(line => JSON.parse(line) as Told)
      : []
  const tellers = async (count: number): Promise<Told[]> => {
    while (told().length < count) await Bun.sleep(20)
    return told()
  }
  return { code, said, signals, told, tellers }
}

/** Zombies count as ended: their parent is this process, which reaps them. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('sets what torchrun sets, for each its own', async () => {
  const { code, told, said } = begin('tell', { masterPort: 12345 })
  expect(await code).toBe(0)
  const all = told().sort((a, b) => a.rank - b.rank)
  expect(all.map(({ pid, ...rest }) => rest)).toEqual(
    [0, 1, 2].map(rank => ({
      ...{ rank, WORLD_SIZE: '3', LOCAL_RANK: String(rank), LOCAL_WORLD_SIZE: '3', MASTER_ADDR: '127.0.0.1' },
      ...{ MASTER_PORT: '12345', RESTART_COUNT: '0' },
    })),
  )
  expect(said).toEqual([])
})

describe('a failure', () => {
  test('a failing rank ends all, and its own error comes first', async () => {
    const { code, said, told } = begin('throw')
    expect(await code).toBe(7)
    expect(said[0]).toBe('[rank 1] what went wrong')
    expect(said[1]).toMatch(/^Rank 1 of 3 \(process \d+\) failed first, with exit code 7; the others were ended\.$/)
    for (const { pid } of told()) expect(lives(pid)).toBe(false)
  })

  test('a rank killed by kill -9, at any moment, leaves no other', async () => {
    for (let round = 0; round < 6; round++) {
      const { code, said, tellers } = begin('wait')
      const all = await tellers(3)
      await Bun.sleep(round * 15)
      const victim = all[round % 3] as Told
      process.kill(victim.pid, 'SIGKILL')
      expect(await code).toBe(137)
      expect(said.at(-1)).toContain(`Rank ${victim.rank} of 3 (process ${victim.pid}) was killed`)
      for (const { pid } of all) expect(lives(pid)).toBe(false)
    }
  })

  test('a rank killed by kill -9 is reported with its memory, since the system kills who has too much', async () => {
    const { code, said, tellers } = begin('wait', { nproc: 2 })
    const [, victim] = (await tellers(2)) as [Told, Told]
    await Bun.sleep(1500) // it is looked at each second
    process.kill(victim.pid, 'SIGKILL')
    expect(await code).toBe(137)
    expect(said.at(-1)).toMatch(
      /was killed, by someone or for want of memory; .* It last had [1-9]\d* MiB in memory\.$/,
    )
  })

  test('a failure also ends what the processes had started', async () => {
    const { code, tellers } = begin('grandchild', { nproc: 2 })
    const all = await tellers(2)
    process.kill((all[0] as Told).pid, 'SIGKILL')
    expect(await code).toBe(137)
    for (const { grandchild } of all) expect(lives(grandchild as number)).toBe(false)
  })

  test('a failure ends processes that ignore signals, too', async () => {
    const { code, tellers } = begin('stubborn', { nproc: 2 })
    const all = await tellers(2)
    process.kill((all[1] as Told).pid, 'SIGKILL')
    expect(await code).toBe(137)
    for (const { pid } of all) expect(lives(pid)).toBe(false)
  })

  test('the missing rank is reported, though it ends later than those that waited for it', async () => {
    const { code, said } = begin('wait for one that fails', { nproc: 2 })
    expect(await code).toBe(7)
    expect(said).toEqual([expect.stringMatching(/^Rank 1 of 2 \(process \d+\) failed first, with exit code 7/)])
  })

  test('the error of a rank that hangs names that rank', async () => {
    const { code, said, told } = begin('wait in vain', { nproc: 2 })
    expect(await code).toBe(1)
    expect(said).toEqual([expect.stringMatching(/^Rank 1 of 2 \(process \d+\) hangs, or is slower/)])
    for (const { pid } of told()) expect(lives(pid)).toBe(false)
  })

  test('a rank that does not end after the others have ended well is a failure', async () => {
    const { code, said, told } = begin('two of three end', { timeout: 1 })
    expect(await code).toBe(1)
    expect(said).toEqual([expect.stringMatching(/^Rank 1 of 3 \(process \d+\) hangs/)])
    for (const { pid } of told()) expect(lives(pid)).toBe(false)
  })

  test('a program that is not there is told', async () => {
    const { code, said } = begin('tell', { nproc: 1, command: '/no/such/program' })
    expect(await code).toBe(127)
    expect(said[0]).toContain('[rank 0] /no/such/program cannot be started')
  })
})

describe('restarts', () => {
  test('restarts are as many as were asked for, and counted', async () => {
    const { code, said, told } = begin('throw', { nproc: 2, maxRestarts: 3 })
    expect(await code).toBe(7)
    expect(
      told()
        .filter(({ rank }) => rank === 1)
        .map(({ RESTART_COUNT }) => RESTART_COUNT),
    ).toEqual(['0', '1', '2', '3'])
    expect(said).toContain('Starting all again, 3 of 3 times.')
  })

  test('may be with fewer processes, and other arguments', async () => {
    const log = join(folder, 'elastic.jsonl')
    const args = (attempt: number) => [rankProgram, 'throw once', log, ...(attempt > 0 ? ['--resume'] : [])]
    const { code } = begin('', { args, minNproc: 2, maxRestarts: 1 })
    expect(await code).toBe(0)
    const again = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ RESTART_COUNT }) => RESTART_COUNT === '1')
    expect(again.map(({ WORLD_SIZE, args }) => [WORLD_SIZE, args])).toEqual([
      ['2', ['--resume']],
      ['2', ['--resume']],
    ])
  })
})

describe('an interrupt', () => {
  test('an interrupt is passed on once, and all may save what they have', async () => {
    const { code, signals, said, tellers } = begin('save')
    await tellers(3)
    const started = performance.now()
    signals.emit('SIGINT', 'SIGINT')
    expect(await code).toBe(130)
    expect(performance.now() - started).toBeGreaterThan(1400) // the first one took its time
    expect(said).toEqual([])
  })

  test('the second time kills', async () => {
    const { code, signals, tellers } = begin('stubborn', { nproc: 2 })
    const all = await tellers(2)
    signals.emit('SIGTERM', 'SIGTERM')
    signals.emit('SIGTERM', 'SIGTERM')
    expect(await code).toBe(137)
    for (const { pid } of all) expect(lives(pid)).toBe(false)
  })
})

test('when the launcher is killed, all end', async () => {
  const log = join(folder, 'orphans.jsonl')
  const program = `import { launch } from '${join(import.meta.dirname, 'launch.ts')}'
    await launch({ command: process.execPath, args: () => ['${rankProgram}', 'wait', '${log}'], nproc: 3 })`
  const launcher = Bun.spawn([process.execPath, '-e', program], { stdio: ['ignore', 'ignore', 'ignore'] })
  while (!existsSync(log) || readFileSync(log, 'utf8').trim().split('\n').length < 3) await Bun.sleep(20)
  launcher.kill('SIGKILL')
  const pids = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as Told).pid)
  const until = performance.now() + 5000
  while (pids.some(lives) && performance.now() < until) await Bun.sleep(50)
  expect(pids.filter(lives)).toEqual([])
})

test('processors are shared', () => {
  expect(threadsEach(2, undefined, 8)).toBe(4)
  expect(threadsEach(3, undefined, 2)).toBe(1)
  expect(threadsEach(2, '1', 8)).toBe(1)
})
