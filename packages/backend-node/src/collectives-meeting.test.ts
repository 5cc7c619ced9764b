/** How the processes of a run meet through shared memory: who is refused or missed, and that nothing stays of it. */
import { afterEach, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import {
  endAll,
  endOf,
  fileOf,
  haveCome,
  type Line,
  linux,
  newId,
  program,
  Rank,
  startRun,
  token,
} from '../test/local-ranks.ts'
import { type ConnectOptions, removeLeftFiles } from './collectives.ts'

afterEach(endAll)

const mayMount =
  linux && spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=4k none /dev/shm']).status === 0
if (!mayMount) console.log('Full shared memory is not tested: this user may not mount a file system.')

describe.skipIf(!linux)('before all have come', () => {
  test('a missing rank is named, and nothing stays', async () => {
    const id = newId()
    const options = { id, worldSize: 4, timeout: 4000 }
    const ends = await endOf([new Rank('sums', { ...options, rank: 0 }), new Rank('sums', { ...options, rank: 2 })])
    for (const { error, waitedFor } of ends) {
      expect(error).toContain('of 4 ranks, these have not come within 4000 ms: 1, 3')
      expect(waitedFor).toBe(1)
    }
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('a killed rank ends the others, and nothing stays', async () => {
    const id = newId()
    const [killed, waiting] = [0, 1].map(rank => new Rank('sums', { id, rank, worldSize: 3, timeout: 60_000, token }))
    await haveCome(id, 2)
    killed?.process.kill('SIGKILL')
    const end = await waiting?.ended
    expect(end?.error).toMatch(/rank 0 \(process \d+\) has died while the others were coming/)
    expect(end?.waitedFor).toBe(0)
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test('files of a killed run are taken over by the next', async () => {
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

  test('files of killed runs are removed by another run and by their launcher; files in use are not', async () => {
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

  test('an interrupted rank leaves nothing', async () => {
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

  test('runs that begin at the same time do not meet', async () => {
    const sums = { taskOptions: { counts: [10] } }
    const ends = await Promise.all([2, 3, 2, 3].map(worldSize => endOf(startRun('sums', worldSize, sums))))
    for (const { error, result } of ends.flat()) expect(error ?? result).toEqual([0])
  })

  test('a file of another version of the native code is refused', async () => {
    const id = newId()
    const options = { id, worldSize: 2, timeout: 60_000, token }
    const first = new Rank('sums', { ...options, rank: 0 })
    await haveCome(id, 1)
    const file = openSync(fileOf(id), 'r+')
    writeSync(file, new Uint8Array(8).fill(1), 0, 8, 0) // the layout
    closeSync(file)
    expect((await new Rank('sums', { ...options, rank: 1 }).ended).error).toContain(
      `rank 1 cannot join the run '${id}': it was begun by another version of the native addon`,
    )
    first.process.kill('SIGUSR2')
    await first.ended
    expect(existsSync(fileOf(id))).toBe(false)
  })

  test.skipIf(process.getuid?.() !== 0)("another user's file is refused, whoever may write it", async () => {
    const id = newId()
    const path = fileOf(id)
    writeFileSync(path, '')
    chmodSync(path, 0o666)
    chownSync(path, 65534, 65534)
    try {
      const [{ error }] = (await endOf([new Rank('sums', { id, rank: 0, worldSize: 2, timeout: 60_000 })])) as [Line]
      expect(error).toMatch(/is of another user|Permission denied/) // the latter where the system protects its users
    } finally {
      rmSync(path)
    }
  })

  test.skipIf(!mayMount)('full shared memory is reported, and nothing stays', () => {
    const options = JSON.stringify({ id: newId(), rank: 0, worldSize: 2 })
    const mounted = `mount -t tmpfs -o size=1m none /dev/shm && "$@"; ls /dev/shm >&2`
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', mounted, 'sh', process.execPath, program, 'local', 'sums', options],
      { encoding: 'utf8' },
    )
    const { error } = JSON.parse(stdout) as Line
    expect(error).toMatch(/^\/dev\/shm has no \d+ MB left for what the processes share: No space left on device$/)
    expect(stderr).toBe('')
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
