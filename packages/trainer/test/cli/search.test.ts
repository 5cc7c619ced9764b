/** `vitral lr-find` and `vitral sweep` as real processes: what they print and leave, bad input, and a kill. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-search-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const tiny = [
  ...['cifar10-demo', '--data', folder, '--backend', 'cpu', '--batch-size', '8', '--epochs', '2'],
  ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
  ...['--set', 'model.config.patchSize=16', '--set', 'model.init=normal'],
]

const built = join(import.meta.dirname, '../../dist/cli/index.js')
const bun = [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts')]

const start = (args: string[], program = bun) =>
  Bun.spawn([...program, ...args], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })

async function vitral(args: string[], program = bun) {
  const child = start(args, program)
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

describe('lr-find', () => {
  test('prints a table and what to do with it, and leaves nothing but the plot', async () => {
    const before = readdirSync(folder)
    const { stdout, code } = await vitral(['lr-find', ...tiny, '--steps', '30', '--out', 'rates.svg'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +lr +loss +smooth\n +1\.0e-7 +\d\.\d{4} +\d\.\d{4}\n/)
    expect(stdout).toMatch(
      /falls fastest at [\d.e-]+; .*\nTo train with it: vitral train cifar10-demo --lr [\d.e-]+\n$/,
    )
    expect(readdirSync(folder).sort()).toEqual([...before, 'rates.svg'])
    expect(readFileSync(join(folder, 'rates.svg'), 'utf8')).toStartWith('<svg xmlns=')
  })

  test('--json has all of it, under Bun and Node alike', async () => {
    const args = ['lr-find', ...tiny, '--steps', '12', '--from', '1e-5', '--to', '1e-1', '--json']
    const { stdout, code } = await vitral(args)
    expect(code).toBe(0)
    const { points, diverged } = JSON.parse(stdout)
    expect({ count: points.length, first: points[0].lr, last: points[11].lr, diverged }).toEqual({
      ...{ count: 12, first: 1e-5, last: expect.closeTo(0.1, 10), diverged: false },
    })
    if (!existsSync(built)) return console.log(`lr-find under plain Node is not tested: ${built} is not built.`)
    const inNode = JSON.parse((await vitral(args, ['node', built])).stdout)
    const measured = ({ lr, loss }: { lr: number; loss: number }) => ({ lr, loss })
    expect(inNode.points.map(measured)).toEqual(points.map(measured))
  })
})

describe('sweep', () => {
  const grid = ['sweep', ...tiny, '--grid', 'optimizer.lr=1e-2,1e-4', '--grid', 'batchSize=8,20']
  const withoutClock = (stdout: string) =>
    JSON.parse(stdout).trials.map(({ seconds, out, ...trial }: Record<string, unknown>) => trial)

  test('prints a table, the most accurate first', async () => {
    const { stdout, stderr, code } = await vitral([...grid, '--out', 'table'])
    expect(code).toBe(0)
    expect(stderr).toContain('Trial 4 of 4: optimizer.lr=0.0001, batchSize=20\n')
    const [head, ...rows] = stdout.trimEnd().split('\n')
    expect(head?.trim().split(/ {2,}/)).toEqual(['accuracy', 'loss', 'time', 'optimizer.lr', 'batchSize', 'trial'])
    expect(rows).toHaveLength(4)
    const accuracies = rows.map(row => Number.parseFloat(row))
    expect(accuracies).toEqual(accuracies.toSorted((a, b) => b - a))
    for (const row of rows) expect(row).toMatch(/% +\d\.\d{4} +0:0\d +0\.\d+ +(8|20) +trial-00\d +finished$/)
  })

  test('a sweep that is killed and resumed ends with the same numbers', async () => {
    const whole = await vitral([...grid, '--out', 'whole', '--json'])
    expect(whole.code).toBe(0)
    const child = start([...grid, '--out', 'killed'])
    const log = join(folder, 'killed/trial-002/metrics.jsonl')
    while (!existsSync(log) || !readFileSync(log, 'utf8').includes('step')) await Bun.sleep(2)
    child.kill('SIGKILL')
    await child.exited
    expect(existsSync(join(folder, 'killed/trial-004'))).toBe(false)
    const resumed = await vitral(['sweep', ...tiny, '--out', 'killed', '--resume', '--json'])
    expect(resumed.code).toBe(0)
    expect(withoutClock(resumed.stdout)).toEqual(withoutClock(whole.stdout))
  })

  test('Ctrl-C says how to go on', async () => {
    const args = [...grid, '--set', 'epochs=500', '--out', 'stopped']
    const child = start(args)
    const log = join(folder, 'stopped/trial-001/metrics.jsonl')
    while (!existsSync(log) || !readFileSync(log, 'utf8').includes('step')) await Bun.sleep(2)
    child.kill('SIGINT')
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect(await child.exited).toBe(130)
    expect(stderr).toContain(`vitral ${args.join(' ')} --resume\n`)
    expect(stdout).toMatch(/trial-001 +stopped\n/)
    expect(stdout).toMatch(/trial-004 +waiting\n/)
  })

  test('draws settings by chance', async () => {
    const random = ['--random', '2', '--range', 'optimizer.lr=log:1e-4..1e-2', '--epochs', '1']
    const { stdout, code } = await vitral(['sweep', ...tiny, ...random, '--out', 'random', '--json'])
    expect(code).toBe(0)
    const rates = JSON.parse(stdout).trials.map(({ settings }: { settings: string[] }) => settings[0]?.split('=')[1])
    expect(new Set(rates).size).toBe(2)
    for (const rate of rates) expect(Number(rate)).toBeWithin(1e-4, 1e-2)
  })

  const cases: [string[], RegExp][] = [
    [
      ['lr-find', ...tiny, '--out', 'rates.png'],
      /^vitral lr-find: --out is 'rates\.png'; expected a file that ends in \.svg\.$/,
    ],
    [
      ['lr-find', ...tiny, '--from', 'x'],
      /^vitral lr-find: The first learning rate is NaN; expected a number above 0\.$/,
    ],
    [['sweep', ...tiny], /^vitral sweep: There is nothing to try; expected --grid/],
    [['sweep', ...tiny, '--random', '3'], /^vitral sweep: --random N and --range KEY=RANGE belong together/],
    [['sweep', ...tiny, '--grid', 'lr=1,2'], /^vitral sweep: A recipe has no field 'lr'; expected one of/],
    [['sweep', ...tiny, '--grid', 'epochs=1', '--random', '3'], /^vitral sweep: There are both --grid and --random/],
    [['sweep', ...tiny, '--resume', '--out', 'nothing'], /^vitral sweep: nothing holds no sweep to resume/],
  ]
  test.each(cases)('vitral %j is refused in one line', async (args, message) => {
    const { stdout, stderr, code } = await vitral(args)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    expect(stderr).toMatch(/^[^\n]+\n$/)
    expect(stderr.trimEnd()).toMatch(message)
  })
})
