/** `vitral train --nproc`: real processes that sum through shared memory, one of them killed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyNoGpu } from '../../../backend-web/test/gpu.ts'
import { rankProcesses, startLaunched, stepsOf } from '../launched-run.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-nproc-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const built = join(import.meta.dirname, '../../dist/cli/index.js')
const linux = process.platform === 'linux'
if (!linux) console.log('Several processes are not tested: they meet in shared memory, on Linux alone.')

const train = (program: string[], out: string, ...args: string[]) =>
  startLaunched({ program, folder, out }, '--nproc', '2', ...args)
const bun = [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts')]

const programs: [string, string[]][] = [
  ['Bun', bun],
  ...(existsSync(built) ? [['Node', ['node', built]] as [string, string[]]] : []),
]

describe.skipIf(!linux).each(programs)('in %s', (name, program) => {
  test('one run comes of it, whose summary is printed once', async () => {
    const child = train(program, `run-${name}`, '--epochs', '2', '--json')
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect({ code: await child.exited, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 processes'),
    })
    expect(JSON.parse(stdout)).toMatchObject({ finished: true, epochs: 2, steps: 10 })
    expect(readdirSync(join(folder, `run-${name}`)).sort()).toEqual([
      'best',
      'checkpoints',
      'evaluation.json',
      'last',
      'metrics.jsonl',
      'recipe.json',
      'report.html',
    ])
  })
})

const noGpu = linux ? whyNoGpu() : 'several processes meet on Linux alone'
if (noGpu) console.log(`skipped the processes on WebGPU: ${noGpu}`)

test.skipIf(noGpu !== undefined)(
  'on WebGPU, a device each, they end where one process does',
  async () => {
    const losses = [1, 2].map(async count => {
      const out = `webgpu-${count}`
      const child = startLaunched(
        { folder, out },
        '--nproc',
        `${count}`,
        '--backend',
        'webgpu',
        '--epochs',
        '1',
        '--json',
      )
      const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
      expect({ code: await child.exited, stderr }).toMatchObject({ code: 0 })
      return (JSON.parse(stdout) as { best: { loss: number } }).best.loss
    })
    const [one, two] = await Promise.all(losses)
    expect(one).toBeGreaterThan(0)
    expect(two).toBeCloseTo(one as number, 5) // their sums have another order
  },
  240_000,
)

test.skipIf(!linux)(
  'what fails before the processes have met ends them too',
  async () => {
    const child = train(bun, 'early', '--backend', 'tensorflow')
    const stderr = await new Response(child.stderr).text()
    expect(await child.exited).toBe(1)
    expect(stderr).toContain('The backend tensorflow: TensorFlow is not there')
    expect(stderr).toMatch(/Rank \d of 2 \(process \d+\) failed first, with exit code 1/)
    expect(rankProcesses('early')).toEqual([])
  },
  30_000,
)

describe.skipIf(!linux)('a process that is killed', () => {
  const weights = (out: string): Buffer => readFileSync(join(folder, out, 'best/model.safetensors'))
  const steps = (out: string): number => stepsOf(folder, out).length

  test('a killed process ends the run; with --max-restarts it goes on, and ends with the bits of one that was not disturbed', async () => {
    const whole = train(bun, 'whole', '--epochs', '8')
    expect(await whole.exited).toBe(0)
    const child = train(bun, 'killed', '--epochs', '8', '--max-restarts', '1', '--checkpoint-every', '3')
    while (steps('killed') < 7) await Bun.sleep(2)
    const [victim] = rankProcesses('killed').filter(({ rank }) => rank === '1')
    process.kill(victim?.pid as number, 'SIGKILL')
    const stderr = await new Response(child.stderr).text()
    expect(await child.exited).toBe(0)
    expect(stderr).toContain(`Rank 1 of 2 (process ${victim?.pid}) was killed`)
    expect(stderr).toContain('Starting all again, 1 of 1 times.')
    expect(steps('killed')).toBe(40)
    expect(weights('killed').equals(weights('whole'))).toBe(true)
    expect(rankProcesses('killed')).toEqual([])
  })
})

test('wrong numbers are one line', async () => {
  const child = train(bun, 'never', '--min-nproc', '3')
  expect(await new Response(child.stderr).text()).toBe('vitral train: --min-nproc is 3, more than --nproc, 2.\n')
  expect(await child.exited).toBe(1)
})

test.each([
  ['--timeout', '5'],
  ['--max-restarts', '2'],
  ['--min-nproc', '1'],
  ['--master-port', '5000'],
])('%s is refused where no processes are started', async (flag, value) => {
  const child = Bun.spawn([...bun, 'train', 'cifar10-demo', '--data', folder, flag, value], { stderr: 'pipe' })
  expect(await new Response(child.stderr).text()).toStartWith(
    `vitral train: ${flag} is for processes that --nproc, --hosts or --nnodes starts, and none of them is given.`,
  )
  expect(await child.exited).toBe(1)
})
