/** What the processes of a run are told when one of them is killed, stops, fails or stays away. */
import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { endAll, endOf, linux, startRun } from '../test/local-ranks.ts'

afterEach(endAll)

describe.skipIf(!linux)('when a rank', () => {
  test('a rank that is killed is named to the others', async () => {
    const ranks = startRun('reduceForever', 3)
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[1]?.process.kill('SIGKILL')
    const [first, , last] = await endOf(ranks)
    for (const end of [first, last]) {
      expect(end?.error).toMatch(/^allReduce of 1000000 floats .* failed on rank \d: rank 1 \(process \d+\) has died$/)
      expect(end?.waitedFor).toBe(1)
    }
  })

  test('a stopped rank makes the others time out and name it', async () => {
    const ranks = startRun('reduceForever', 2, { timeout: 4000 })
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[0]?.process.kill('SIGSTOP')
    const end = await ranks[1]?.ended
    expect(end?.error).toMatch(/failed on rank 1: rank 0 \(process \d+\) has not come within 4000 ms/)
    expect(end?.waitedFor).toBe(0)
  })

  test('a rank that is stopped for a while is waited for and named, and the sums are the same', async () => {
    const ranks = startRun('sums', 3, { timeout: 10_000, taskOptions: { counts: Array(100).fill(99_991) } })
    await Promise.all(ranks.map(rank => rank.connected()))
    const [, stopped] = ranks
    stopped?.process.kill('SIGSTOP')
    const first = await Promise.race([ranks[0]?.ended, Bun.sleep(1500)])
    expect(first).toBeUndefined() // it waits
    stopped?.process.kill('SIGCONT')
    expect((await endOf(ranks)).map(({ error, result }) => error ?? result)).toEqual(Array(3).fill(Array(100).fill(0)))
    const [said, ...others] = await Promise.all(ranks.map(rank => rank.stderr))
    expect(said).toMatch(
      /^vitral: allReduce of 99991 floats \(operation \d+\) has waited on rank 0 for 1\.\d s: rank 1 \(process \d+\) has not come\n$/,
    )
    expect(others).toEqual(['', ''])
  })

  test('a failing rank tells the others its error', async () => {
    const [, ...others] = await endOf(startRun('fails', 3))
    for (const { error, waitedFor } of others) {
      expect(error).toMatch(/^barrier .* failed on rank \d: rank 0 \(process \d+\) failed: the disk is full$/)
      expect(waitedFor).toBe(0)
    }
  })

  test('a waiting rank is told when another dies while one stays away', async () => {
    const ranks = startRun('waitForZero', 3)
    await Promise.all(ranks.map(rank => rank.connected()))
    ranks[2]?.process.kill('SIGKILL')
    const end = await ranks[1]?.ended
    expect(end?.error).toMatch(/^barrier .* rank 2 \(process \d+\) has died$/)
    expect(end?.waitedFor).toBe(2)
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
