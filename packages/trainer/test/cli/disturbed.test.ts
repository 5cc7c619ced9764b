/** Whatever is done to its processes, a run that is started again ends with the bits of one that was left alone. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/ddp/free-port.ts'
import { meetingFile, rankOf, rankProcesses, startLaunched, stepsOf } from '../launched-run.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const linux = process.platform === 'linux'
if (!linux) console.log('Several processes are not tested: they meet in shared memory, on Linux alone.')

const folder = mkdtempSync(join(tmpdir(), 'vitral-disturbed-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const { pid } of rankProcesses('disturbed')) process.kill(pid, 'SIGKILL') // of a test that failed
})

const common = ['--epochs', '5', '--nproc', '2', '--checkpoint-every', '3', '--set', 'ema.decay=0.9']
const weights = (out: string): Buffer => readFileSync(join(folder, out, 'best/model.safetensors'))

/** What is done to a rank, each some milliseconds after the run has come to a step. */
const disturbances: { step: number; rank: number; wait: number; pause?: number; signal?: 'SIGKILL' | 'SIGSTOP' }[] = [
  { step: 0, rank: 1, wait: 150, signal: 'SIGKILL' }, // while it loads
  { step: 4, rank: 0, wait: 0, pause: 1000 },
  { step: 8, rank: 0, wait: 7, signal: 'SIGKILL' }, // which alone writes
  { step: 16, rank: 1, wait: 3, signal: 'SIGSTOP' }, // for longer than --timeout
]

test.skipIf(!linux)(
  'killed and stopped at several moments',
  async () => {
    const undisturbed = startLaunched({ folder, out: 'undisturbed' }, ...common)
    expect(await undisturbed.exited).toBe(0)
    const port = await freePort()
    const restarts = ['--max-restarts', '3', '--timeout', '5', '--master-port', String(port)]
    const child = startLaunched({ folder, out: 'disturbed' }, ...common, ...restarts)
    const stderr = new Response(child.stderr).text()
    for (const { step, rank, wait, pause, signal } of disturbances) {
      while ((stepsOf(folder, 'disturbed').at(-1)?.step ?? 0) < step) await Bun.sleep(2)
      const pid = await rankOf('disturbed', rank)
      await Bun.sleep(wait)
      process.kill(pid, signal ?? 'SIGSTOP')
      if (pause === undefined)
        while (rankProcesses('disturbed').some(process => process.pid === pid)) await Bun.sleep(5)
      else {
        await Bun.sleep(pause)
        process.kill(pid, 'SIGCONT')
      }
    }
    expect({ code: await child.exited, stderr: await stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Starting all again, 3 of 3 times.'),
    })
    expect(stepsOf(folder, 'disturbed').map(({ step }) => step)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
    expect(stepsOf(folder, 'disturbed').map(({ loss }) => loss)).toEqual(
      stepsOf(folder, 'undisturbed').map(({ loss }) => loss),
    )
    expect(weights('disturbed').equals(weights('undisturbed'))).toBe(true)
    expect(rankProcesses('disturbed')).toEqual([])
    expect(existsSync(meetingFile(port))).toBe(false)
  },
  120_000,
)
