/** `vitral train --resume` of a run whose process was killed, in what the next container is: another host name and pids. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stepsOf } from '../launched-run.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-container-'))
const children: Bun.Subprocess[] = []
beforeAll(() => writeTinyCifar(folder))
afterAll(() => {
  for (const child of children) child.kill('SIGKILL') // of a test that failed
  rmSync(folder, { recursive: true })
})

const container = (host: string): string[] => [
  ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--uts'],
  ...['sh', '-c', `hostname ${host} && exec "$@"`, 'sh'],
]
const renamed = (host: string): string[] => ['unshare', '--uts', 'sh', '-c', `hostname ${host} && exec "$@"`, 'sh']
const mayUnshare = process.platform === 'linux' && Bun.spawnSync([...container('a'), 'true']).success
if (!mayUnshare) console.log('Runs between containers are not tested: unshare needs Linux and root.')

function train(out: string, prefix: readonly string[], ...more: string[]) {
  const source = join(import.meta.dirname, '../../src/cli/index.ts')
  const args = ['train', 'cifar10-demo', '--data', folder, '--backend', 'cpu', '--out', join(folder, out)]
  const tiny = ['model.config.hiddenSize=8', 'model.config.numHiddenLayers=1', 'model.config.patchSize=8']
  const sets = tiny.flatMap(setting => ['--set', setting])
  const command = [...prefix, process.execPath, source, ...args, '--batch-size', '8', ...sets, ...more]
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  children.push(child)
  return child
}

async function killedAfterStep(out: string, child: Bun.Subprocess): Promise<void> {
  while (!existsSync(join(folder, out, 'checkpoints')) || stepsOf(folder, out).length < 5) await Bun.sleep(20)
  child.kill('SIGKILL')
  await child.exited
}

const locks = (out: string): string[] => readdirSync(join(folder, out)).filter(name => name.startsWith('lock-'))

test.skipIf(!mayUnshare)(
  'a new host name does not keep a killed run from being resumed, at once',
  async () => {
    await killedAfterStep('pod', train('pod', renamed('pod-1'), '--epochs', '4000'))
    expect(locks('pod')[0]).toStartWith('lock-pod-1-')
    const child = train('pod', renamed('pod-2'), '--resume', '--epochs', '4000')
    const before = stepsOf(folder, 'pod').at(-1)?.step ?? 0
    while ((stepsOf(folder, 'pod').at(-1)?.step ?? 0) <= before + 2 && child.exitCode === null) await Bun.sleep(20)
    expect(locks('pod')).toHaveLength(1)
    child.kill('SIGTERM')
    const [stderr] = await Promise.all([new Response(child.stderr).text(), child.exited])
    expect(stderr).not.toContain('looking for up to')
    expect(locks('pod')).toEqual([])
  },
  120_000,
)

test.skipIf(!mayUnshare)(
  'two containers of the same host name do not train into one folder',
  async () => {
    const first = train('shared', container('worker'), '--epochs', '4000')
    while (!existsSync(join(folder, 'shared/metrics.jsonl'))) await Bun.sleep(20)
    const second = train('shared', container('worker'), '--resume', '--epochs', '4000')
    const [stderr, code] = await Promise.all([new Response(second.stderr).text(), second.exited])
    expect(code).toBe(1)
    expect(stderr).toMatch(/vitral train: \S+shared is in use by process \d+ on worker; wait for it or stop it\./)
    expect(first.exitCode).toBeNull()
  },
  120_000,
)
