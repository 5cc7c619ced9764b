/** Launched processes that fail, hang, or are killed before they have met: what is said, what stays, and how runs go on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/ddp/free-port.ts'
import { type LoggedStep, meetingFile, rankOf, rankProcesses, startLaunched, stepsOf } from '../launched-run.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const linux = process.platform === 'linux'
if (!linux) console.log('Several processes are not tested: they meet in shared memory, on Linux alone.')

const folder = mkdtempSync(join(tmpdir(), 'vitral-launched-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const outs: string[] = []
afterEach(() => {
  // Processes left by a test that failed; a launcher that is killed takes its own with it, but for those that were stopped.
  for (const out of outs.splice(0)) for (const { pid } of rankProcesses(out)) process.kill(pid, 'SIGKILL')
})

const train = (out: string, ...args: string[]) => startLaunched({ folder, out }, '--set', 'optimizer.eps=1e-4', ...args)

async function endOf(child: ReturnType<typeof train>): Promise<{ code: number; stderr: string }> {
  const stderr = await new Response(child.stderr).text()
  return { code: await child.exited, stderr }
}

async function reached(out: string, step: number): Promise<void> {
  while ((stepsOf(folder, out).at(-1)?.step ?? 0) < step) await Bun.sleep(5)
}

describe.skipIf(!linux)('before all have met', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s of one while another loads leaves nothing',
    async signal => {
      const [out, port] = [`loading-${signal}`, await freePort()]
      outs.push(out)
      const ended = endOf(train(out, '--nproc', '2', '--master-port', String(port), '--timeout', '3'))
      process.kill(await rankOf(out, 1), 'SIGSTOP')
      while (!existsSync(meetingFile(port))) await Bun.sleep(5)
      process.kill(await rankOf(out, 0), signal)
      expect((await ended).code).toBe(signal === 'SIGKILL' ? 137 : 143)
      expect(rankProcesses(out)).toEqual([])
      expect(existsSync(meetingFile(port))).toBe(false)
    },
    60_000,
  )

  test('kill -9 of the launcher leaves nothing either', async () => {
    const [out, port] = ['loading-alone', await freePort()]
    outs.push(out)
    const child = train(out, '--nproc', '2', '--master-port', String(port))
    const loading = await rankOf(out, 1)
    process.kill(loading, 'SIGSTOP')
    while (!existsSync(meetingFile(port))) await Bun.sleep(5)
    child.kill('SIGKILL')
    await child.exited
    while (rankProcesses(out).some(({ pid }) => pid !== loading)) await Bun.sleep(20)
    expect(existsSync(meetingFile(port))).toBe(false)
    process.kill(loading, 'SIGCONT') // it finds itself alone
    while (rankProcesses(out).length > 0) await Bun.sleep(20)
    expect(existsSync(meetingFile(port))).toBe(false)
  }, 60_000)
})

test.skipIf(!linux)(
  'a port that names another run is refused, and that run goes on',
  async () => {
    const [out, port] = ['first', String(await freePort())]
    outs.push(out, 'second')
    const first = train(out, '--nproc', '2', '--epochs', '10000', '--master-port', port)
    await reached(out, 1)
    const { code, stderr } = await endOf(train('second', '--nproc', '2', '--master-port', port))
    expect(code).toBe(1)
    expect(stderr).toContain(
      `cannot join the run '127.0.0.1:${port}': a run of this id is going on on this machine; end it, or choose another id (MASTER_PORT)`,
    )
    expect(stepsOf(folder, 'second')).toEqual([])
    await reached(out, (stepsOf(folder, out).at(-1)?.step ?? 0) + 3)
    first.kill('SIGTERM')
    expect((await endOf(first)).code).toBe(143)
  },
  60_000,
)

describe.skipIf(!linux)('a process', () => {
  test('a failing process reports its own error before the others do', async () => {
    const recipe = join(folder, 'failing.ts')
    const source = (file: string): string => JSON.stringify(join(import.meta.dirname, '../../src', file))
    writeFileSync(
      recipe,
      `import { DataParallel } from ${source('ddp/data-parallel.ts')}
      export { default } from ${source('recipes/cifar10-demo.ts')}
      if (process.env.RANK === '1') DataParallel.prototype.share = async () => { throw new Error('this disk is full') }`,
    )
    const { code, stderr } = await endOf(startLaunched({ folder, out: 'failing', recipe }, '--nproc', '2'))
    const lines = stderr.split('\n').filter(line => /full|failed/.test(line))
    expect(stderr).not.toContain('has closed its collectives')
    expect(lines[0]).toBe('[rank 1] vitral train: this disk is full')
    // Unless the launcher has ended it before.
    for (const line of lines.slice(1, -1))
      expect(line).toMatch(/failed on rank 0: rank 1 \(process \d+\) failed: this disk/)
    expect(lines.at(-1)).toMatch(
      /^Rank 1 of 2 \(process \d+\) failed first, with exit code 1; the others were ended\.$/,
    )
    expect(code).toBe(1)
  }, 60_000)

  test('a process that hangs is named after --timeout, and nothing stays', async () => {
    const [out, port] = ['hanging', await freePort()]
    outs.push(out)
    const args = ['--epochs', '10000', '--timeout', '3', '--master-port', String(port)]
    const ended = endOf(train(out, '--nproc', '2', ...args))
    await reached(out, 3)
    const pid = await rankOf(out, 1)
    const began = performance.now()
    process.kill(pid, 'SIGSTOP')
    const { code, stderr } = await ended
    expect(performance.now() - began).toBeLessThan(30_000) // 6 s where nothing else computes
    expect(code).toBe(1)
    expect(stderr).toContain(`failed on rank 0: rank 1 (process ${pid}) has not come within 3000 ms`)
    expect(stderr).toContain(`Rank 1 of 2 (process ${pid}) hangs, or is slower than --timeout allows; all were ended.`)
    expect(rankProcesses(out)).toEqual([])
    expect(existsSync(meetingFile(port))).toBe(false)
  }, 60_000)
})

describe.skipIf(!linux)('another number of processes', () => {
  const steps = Array.from({ length: 20 }, (_, i) => i + 1)

  /** Sums in another order, over 20 steps of AdamW, whose eps keeps rounding from deciding: see data-parallel.test.ts. */
  function expectClose(out: string, expected: string): void {
    const [given, whole] = [out, expected].map(name => stepsOf(folder, name)) as [LoggedStep[], LoggedStep[]]
    expect(given.map(({ step }) => step)).toEqual(steps)
    for (const [i, { loss }] of whole.entries()) expect(given[i]?.loss).toBeCloseTo(loss, 3)
  }

  test('fewer processes resume after one was killed, with --min-nproc; and with --resume', async () => {
    const whole = endOf(train('whole', '--epochs', '4'))
    const elastic = train('elastic', '--epochs', '4', '--nproc', '2', '--max-restarts', '1', '--min-nproc', '1')
    outs.push('elastic', 'other')
    await reached('elastic', 7)
    process.kill(await rankOf('elastic', 1), 'SIGKILL')
    const { code, stderr } = await endOf(elastic)
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Starting all again, 1 of 1') })

    const other = train('other', '--epochs', '4', '--nproc', '2')
    await reached('other', 7)
    other.kill('SIGTERM')
    expect((await endOf(other)).code).toBe(143)
    expect((await endOf(train('other', '--epochs', '4', '--nproc', '3', '--resume'))).code).toBe(0)
    expect((await whole).code).toBe(0)
    expectClose('elastic', 'whole')
    expectClose('other', 'whole')
  }, 120_000)
})
