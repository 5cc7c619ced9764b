/** What the vitral command does when nobody reads its output, nothing can hold it, or its terminal is closed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ignoresHangup } from '@vitral/core/hangup'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-output-'))
const data = join(folder, 'cifar-10-batches-bin')
const full = existsSync('/dev/full')
if (!full) console.log('skipped the tests of a full output: there is no /dev/full here')

beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const command = `"${process.execPath}" "${join(import.meta.dirname, '../../src/cli/index.ts')}"`
const training = (out: string, epochs = 2): string =>
  [
    `${command} train cifar10-demo --data "${data}" --backend cpu --epochs ${epochs} --batch-size 8 --json --out ${out}`,
    ...['hiddenSize=8', 'numHiddenLayers=1', 'patchSize=8'].map(field => `--set model.config.${field}`),
  ].join(' ')

async function shell(script: string) {
  const child = Bun.spawn(['bash', '-c', `set -o pipefail; ${script}`], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

test('a reader that leaves ends a command quietly, as SIGPIPE would', async () => {
  // The reader is gone before the command has anything to say.
  expect(await shell(`${command} bench --model vit-tiny-patch16-224 --help | true; echo \${PIPESTATUS[0]}`)).toEqual({
    stdout: '141\n',
    stderr: '',
    code: 0,
  })
})

test.skipIf(!full)('an output that is full is one line and exit code 1', async () => {
  expect(await shell(`${command} --help > /dev/full`)).toEqual({
    stdout: '',
    stderr:
      'vitral: The standard output cannot be written: the disk is full; free some space, or write to another one.\n',
    code: 1,
  })
  expect(await shell(`${command} predict --model none x.png 2> /dev/full`)).toEqual({ stdout: '', stderr: '', code: 1 })
})

test.skipIf(!full)('a training run goes on to its end when its output is full', async () => {
  const { stderr, code } = await shell(`${training('full')} > /dev/full`)
  expect(code).toBe(1)
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^vitral train: The standard output cannot be written: /)
  expect(existsSync(join(folder, 'full/report.html'))).toBe(true)
  expect((await shell(`${training('silent')} > /dev/full 2> /dev/full`)).code).toBe(1)
  expect(existsSync(join(folder, 'silent/report.html'))).toBe(true)
})

test('a training run goes on to its end when nobody reads what it says', async () => {
  expect(await shell(`${training('unread')} 2>&1 | true; echo \${PIPESTATUS[0]}`)).toEqual({
    stdout: '0\n',
    stderr: '',
    code: 0,
  })
  expect(existsSync(join(folder, 'unread/report.html'))).toBe(true)
})

describe('SIGHUP', () => {
  const steps = (out: string): number => {
    const path = join(folder, out, 'metrics.jsonl')
    return existsSync(path) ? readFileSync(path, 'utf8').split('"event":"step"').length - 1 : 0
  }

  async function hangUp(out: string, prefix = ''): Promise<{ stderr: string; code: number }> {
    const child = Bun.spawn(['bash', '-c', `${prefix} exec ${training(out, 8)}`], { cwd: folder, stderr: 'pipe' })
    while (steps(out) < 3) await Bun.sleep(2)
    child.kill('SIGHUP')
    return { stderr: await new Response(child.stderr).text(), code: await child.exited }
  }

  // Where the tests themselves are run under nohup, all that they start ignores it.
  test.skipIf(ignoresHangup())('saves and says how to go on', async () => {
    const { stderr, code } = await hangUp('hung')
    expect(code).toBe(129)
    expect(stderr).toContain('the state is saved. To go on:')
    expect(steps('hung')).toBeLessThan(40)
    expect((await shell(`${training('hung', 8)} --resume`)).code).toBe(0)
  })

  test('SIGHUP is survived where it is ignored, as under nohup', async () => {
    expect((await hangUp('kept', "trap '' HUP;")).code).toBe(0)
    expect(steps('kept')).toBe(40)
  })
})
