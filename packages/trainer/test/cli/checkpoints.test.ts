/** `vitral train` and its folder: damaged checkpoints, full disks, a second process. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCheckpoint } from '../../src/run/checkpoint-file.ts'
import { mayMount, mount, unmount } from '../mount.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-cli-checkpoints-'))
const data = join(folder, 'cifar-10-batches-bin')
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const tiny = [
  ...['cifar10-demo', '--data', data, '--backend', 'cpu', '--batch-size', '8', '--set', 'validation=0.1'],
  ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
  ...['--set', 'model.config.patchSize=8'],
]

function start(args: string[], as: string[] = []) {
  const command = [
    ...as,
    process.execPath,
    join(import.meta.dirname, '../../src/cli/index.ts'),
    'train',
    ...tiny,
    ...args,
  ]
  return Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
}

async function ended(child: ReturnType<typeof start>) {
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

const checkpoints = (out: string): string[] => readdirSync(join(out, 'checkpoints')).sort()

test('the best model is chosen on validation images and tested once; the folder says by which code', async () => {
  const out = join(folder, 'run')
  const { stdout, stderr, code } = await ended(start(['--out', out, '--epochs', '2']))
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stdout).toMatch(
    /^Best: [\d.]+% of 10 validation images, after epoch \d, and [\d.]+% of 20 test images\. Took /,
  )
  const log = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
  expect(log.map(line => JSON.parse(line).event).join(' ')).toBe('step step step step epoch '.repeat(2).concat('test'))
  const { environment, resumedIn } = JSON.parse(readFileSync(join(out, 'recipe.json'), 'utf8'))
  expect(environment).toMatchObject({ vitral: expect.any(String), tfjs: '4.22.0', runtime: expect.any(String) })
  const head = Bun.spawnSync(['git', 'rev-parse', 'HEAD'])
  expect(environment.git?.commit).toBe(head.success ? head.stdout.toString().trim() : undefined)
  expect(resumedIn).toBeUndefined()
  expect(readdirSync(out).sort()).toEqual([
    'best',
    'checkpoints',
    'evaluation.json',
    'last',
    'metrics.jsonl',
    'recipe.json',
    'report.html',
  ])
})

test('a damaged checkpoint is told in one line, and the one before is used', async () => {
  const out = join(folder, 'damaged')
  const args = ['--out', out, '--epochs', '3', '--keep-checkpoints', '3']
  expect((await ended(start(args))).code).toBe(0)
  expect(checkpoints(out)).toEqual([4, 8, 12].map(step => `step-${String(step).padStart(9, '0')}.safetensors`))
  const [, second, newest] = checkpoints(out).map(name => join(out, 'checkpoints', name)) as [string, string, string]
  const before = await readCheckpoint(newest)
  truncateSync(newest, 5000)
  const { stderr, code } = await ended(start([...args, '--resume']))
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const line = `${newest} is damaged: its content does not match its checksum. Resuming from the one before it, ${second.split('/').at(-1)}.`
  expect(stderr.split('\n').filter(text => text.includes('damaged'))).toEqual([line])
  expect((await readCheckpoint(newest)).sections).toEqual(before.sections)
}, 60_000)

test('a second process is refused in one line, and the first goes on', async () => {
  const out = join(folder, 'two')
  const args = ['--out', out, '--epochs', '400']
  const first = start(args)
  while (!existsSync(join(out, 'metrics.jsonl'))) await Bun.sleep(10)
  const { stdout, stderr, code } = await ended(start([...args, '--resume']))
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  expect(stderr).toMatch(/^vitral train: \S+two is in use by process \d+ on \S+; wait for it or stop it\. [^\n]+\n$/)
  expect(stderr).toContain(`process ${first.pid} on`)
  expect(first.exitCode).toBeNull()
  first.kill('SIGKILL')
  await first.exited
  expect(readdirSync(out).filter(name => name.startsWith('lock-'))).toHaveLength(1)
  const both = [start([...args, '--resume']), start([...args, '--resume'])]
  const refused = await Promise.race(both.map(async child => ((await child.exited) === 1 ? child : undefined)))
  const stays = both.find(child => child !== refused) as (typeof both)[number]
  expect(await new Response(refused?.stderr).text()).toContain(`in use by process ${stays.pid} on`)
  stays.kill('SIGTERM')
  expect((await ended(stays)).code).toBe(143)
  expect(readdirSync(out).filter(name => name.startsWith('lock-'))).toEqual([])
}, 60_000)

describe('a folder that cannot be written', () => {
  test.skipIf(!mayMount)(
    'a full disk ends the run in one line, and with more room it goes on',
    async () => {
      const out = join(folder, 'full')
      mkdirSync(out)
      const straight = join(folder, 'room')
      const args = ['--epochs', '3', '--keep-checkpoints', '2', '--checkpoint-every', '1']
      expect((await ended(start([...args, '--out', straight]))).code).toBe(0)
      const size = readFileSync(join(straight, 'checkpoints', checkpoints(straight)[0] as string)).length
      mount(out, 2.5 * size)
      try {
        const { stdout, stderr, code } = await ended(start([...args, '--out', out]))
        expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
        const told = stderr.split('\n').filter(line => line.startsWith('vitral train:'))
        expect(told).toHaveLength(1)
        expect(told[0]).toMatch(
          /step-000000003\.safetensors cannot be written: the disk is full: [\d,]+ bytes are needed, [\d,]+ are free\. Free some space; the run can be resumed from step-000000002\.safetensors\.$/,
        )
        expect(checkpoints(out).map(name => name.slice(0, 14))).toEqual(['step-000000001', 'step-000000002'])
        expect(Bun.spawnSync(['mount', '-o', `remount,size=${20 * size}`, out]).exitCode).toBe(0)
        expect(await ended(start([...args, '--out', out, '--resume']))).toMatchObject({ code: 0 })
        const last = async (run: string) => readCheckpoint(join(run, 'checkpoints', checkpoints(run).at(-1) as string))
        expect((await last(out)).sections).toEqual((await last(straight)).sections)
      } finally {
        unmount(out)
      }
    },
    60_000,
  )

  const root = process.getuid?.() === 0
  const asNobody = root ? ['setpriv', '--reuid=65534', '--clear-groups'] : []
  const mayDrop = !root || Bun.spawnSync([...asNobody, process.execPath, '--version']).success
  if (!mayDrop) console.log('A folder of others is not tested: root may write everywhere.')

  test.skipIf(!mayDrop)('the folder of another user ends the run in one line', async () => {
    const locked = join(folder, 'locked')
    mkdirSync(locked)
    chmodSync(locked, 0o555)
    chmodSync(folder, 0o755)
    const out = join(locked, 'run')
    const { stdout, stderr, code } = await ended(start(['--out', out], asNobody))
    expect({ stdout, code, stderr }).toEqual({
      ...{ stdout: '', code: 1 },
      stderr: `vitral train: ${out} cannot be written: this user may not write there. Change the permissions, or choose another folder.\n`,
    })
  })

  test("a file in the folder's place ends the run in one line", async () => {
    const out = join(data, 'batches.meta.txt', 'run')
    const { stderr } = await ended(start(['--out', out]))
    expect(stderr).toBe(
      `vitral train: ${out} cannot be written: a part of the path is a file. Choose another folder.\n`,
    )
  })

  test('data that cannot be used leave no folder', async () => {
    const out = join(folder, 'none')
    const { code } = await ended(start(['--out', out, '--set', 'classes=["cow"]']))
    expect(code).toBe(1)
    expect(existsSync(out)).toBe(false)
  })
})

test.each([
  [['--checkpoint-every', '0'], "--checkpoint-every is '0'; expected"],
  [
    ['--checkpoint-every', '5m'],
    "--checkpoint-every is '5m'; expected a number of steps such as 500, or of minutes such as 10min.",
  ],
  [['--checkpoint-every', '1.5'], "--checkpoint-every is '1.5'; expected"],
  [['--checkpoint-every', '0min'], "--checkpoint-every is '0min'; expected"],
  [['--keep-checkpoints', '0'], "--keep-checkpoints is '0'; expected a whole number of at least 1"],
])('%j is refused in one line', async (args, message) => {
  const { stderr, code } = await ended(start(['--out', join(folder, 'bad'), ...args]))
  expect(code).toBe(1)
  expect(stderr).toStartWith(`vitral train: ${message}`)
})
