/** `vitral train --hosts` across network namespaces, each a machine of its own to mpirun; one of them is cut off. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyCifar } from '../tiny-cifar.ts'

const hosts = join(import.meta.dirname, '../hosts/hosts.sh')
const [here, there] = ['10.77.0.1', '10.77.0.2']

function missing(): string | undefined {
  if (process.platform !== 'linux') return 'they are of Linux'
  const lacking = ['ip', 'unshare', 'mpirun.openmpi'].filter(name => !Bun.which(name))
  if (lacking.length > 0) return `${lacking.join(', ')} is not there (apt-get install iproute2 openmpi-bin)`
  if (process.getuid?.() !== 0) return 'only root may make them'
  const { status, stderr } = spawnSync(hosts, ['up', '2'], { encoding: 'utf8' })
  return status === 0 ? undefined : `they cannot be made here: ${stderr.trim()}`
}

const reason = missing()
if (reason) console.log(`skipped: training across network namespaces, for ${reason}`)

const folder = mkdtempSync(join(tmpdir(), 'vitral-several-hosts-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => {
  rmSync(folder, { recursive: true })
  if (!reason) spawnSync(hosts, ['down'])
})

/** The first host's own mpirun takes the script for ssh, and TCP for the memory that the hosts do share. */
const environment = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_plm_rsh_agent: `${hosts} on`,
  OMPI_MCA_pml: 'ob1',
  OMPI_MCA_btl: 'tcp,self',
  OMPI_MCA_btl_tcp_if_include: '10.77.0.0/24',
  OMPI_MCA_oob_tcp_if_include: '10.77.0.0/24',
  VITRAL_MPIRUN: 'mpirun.openmpi',
}

const train = (out: string, ...args: string[]) => {
  const program = [
    process.execPath,
    join(import.meta.dirname, '../../src/cli/index.ts'),
    'train',
    'cifar10-demo',
    '--data',
    folder,
  ]
  const model = ['hiddenSize=8', 'numHiddenLayers=1', 'patchSize=8'].flatMap(field => [
    '--set',
    `model.config.${field}`,
  ])
  const recipe = ['--backend', 'cpu', '--batch-size', '8', '--out', join(folder, out), ...model]
  const env = { ...process.env, ...environment }
  return Bun.spawn([hosts, 'on', here, ...program, ...recipe, ...args], { cwd: folder, stderr: 'pipe', env })
}

const weights = (out: string): Buffer => readFileSync(join(folder, out, 'best/model.safetensors'))
const commandsOn = (host: string): string[] =>
  spawnSync('ip', ['netns', 'pids', `vitral-${host.split('.').at(-1)}`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(pid => pid && existsSync(`/proc/${pid}/cmdline`))
    .map(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))

describe.skipIf(reason !== undefined)('two hosts', () => {
  test('two hosts train the model of two processes on one', async () => {
    const across = train('across', '--epochs', '2', '--nproc', '1', '--hosts', `${here},${there}`)
    const stderr = await new Response(across.stderr).text()
    expect({ code: await across.exited, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 processes'),
    })
    const local = train('local', '--epochs', '2', '--nproc', '2')
    expect(await local.exited).toBe(0)
    expect(weights('across').equals(weights('local'))).toBe(true)
  })

  test('a host that is cut off is named, and the run ends on both', async () => {
    const child = train('cut', '--epochs', '10000', '--nproc', '1', '--hosts', `${here},${there}`, '--timeout', '3')
    const metrics = join(folder, 'cut', 'metrics.jsonl')
    while (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length < 5) await Bun.sleep(20)
    expect(commandsOn(there).filter(command => command.includes('cli/index.ts'))).toHaveLength(1)
    spawnSync(hosts, ['cut', there])
    const stderr = await new Response(child.stderr).text()
    expect(await child.exited).not.toBe(0)
    expect(stderr).toMatch(
      /rank 0 of 2\): .* failed on rank 0: rank 1 has not come within 3000 ms; .*a network that is cut/,
    )
    for (const host of [here, there])
      expect(commandsOn(host).filter(command => command.includes('cli/index.ts'))).toEqual([])
  })
})
