/** What the environment says of a process, and `vitral train` in two processes as a cluster's launcher starts it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'
import { type Placement, placementOf } from './process-group.ts'

const torchrun = {
  RANK: '3',
  WORLD_SIZE: '4',
  LOCAL_RANK: '1',
  MASTER_ADDR: 'node-0',
  MASTER_PORT: '29500',
}

describe('the place of a process', () => {
  test('as torchrun says it', () => {
    const place: Placement = {
      ...{ engine: 'local', meet: 'local', rank: 3, worldSize: 4, localRank: 1 },
      ...{ id: 'node-0:29500', timeout: undefined },
    }
    expect(placementOf(torchrun)).toEqual(place)
    expect(placementOf({ ...torchrun, VITRAL_COLLECTIVES: 'nccl', VITRAL_COLLECTIVES_TIMEOUT: '30' })).toEqual({
      ...place,
      engine: 'nccl',
      timeout: 30_000,
    })
  })

  test('as mpirun says it', () => {
    const openMpi = { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '2', OMPI_COMM_WORLD_LOCAL_RANK: '0' }
    expect(placementOf(openMpi)).toMatchObject({ engine: 'mpi', rank: 1, worldSize: 2, localRank: 0 })
    expect(placementOf({ ...openMpi, VITRAL_COLLECTIVES: 'nccl' })).toMatchObject({ engine: 'nccl', meet: 'mpi' })
    expect(placementOf({ PMI_RANK: '0', PMI_SIZE: '2' })).toMatchObject({ engine: 'mpi', rank: 0, worldSize: 2 })
  })

  test('as srun says it: on one machine without an MPI, over several with the one that srun serves', () => {
    const step = { SLURM_JOB_ID: '7', SLURM_STEP_ID: '2', SLURM_NODEID: '1', SLURM_STEP_TASKS_PER_NODE: '2(x2)' }
    const srun = { ...step, SLURM_PROCID: '3', SLURM_NTASKS: '4', SLURM_STEP_NUM_TASKS: '4', SLURM_LOCALID: '1' }
    const one = { ...srun, SLURM_STEP_NUM_NODES: '1' }
    const here = { engine: 'local', meet: 'local', rank: 3, worldSize: 4, localRank: 1, id: 'slurm-7-2-0' }
    expect(placementOf(one)).toMatchObject(here)
    expect(placementOf({ ...one, PMI_RANK: '3', PMI_SIZE: '4', PMI_FD: '11' })).toMatchObject(here)
    expect(placementOf({ ...one, VITRAL_COLLECTIVES: 'nccl' })).toMatchObject({ engine: 'nccl', meet: 'local' })
    const two = { ...srun, SLURM_STEP_NUM_NODES: '2' }
    expect(placementOf({ ...two, PMIX_NAMESPACE: 'slurm.pmix.7.2' })).toMatchObject({ engine: 'mpi', rank: 3 })
    expect(() => placementOf(two)).toThrow(
      /^srun over 2 machines was started without --mpi, .* vitral train --nnodes 2 --nproc N inside an allocation .* srun --mpi=pmix/,
    )
    expect(() => placementOf({ ...one, VITRAL_COLLECTIVES: 'mpi' })).toThrow('srun with VITRAL_COLLECTIVES=mpi was')
    expect(() => placementOf({ ...two, VITRAL_COLLECTIVES: 'local' })).toThrow(
      'SLURM_STEP_NUM_TASKS is 4, and only 2 of these processes are on this machine',
    )
    // A step of an mpirun's daemons is that mpirun's.
    const hydra = { ...two, SLURM_STEP_NUM_TASKS: '2', PMI_RANK: '3', PMI_SIZE: '4', MPI_LOCALRANKID: '1' }
    expect(placementOf(hydra)).toMatchObject({ engine: 'mpi', rank: 3, worldSize: 4, localRank: 1 })
    expect(placementOf({ ...two, ...torchrun })).toMatchObject({ engine: 'local', id: 'node-0:29500' })
  })

  test('none where there is one process', () => {
    expect(placementOf({})).toBeUndefined()
    expect(placementOf({ SLURM_PROCID: '0', SLURM_NTASKS: '4' })).toBeUndefined() // a batch script
    expect(placementOf({ SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '1' })).toBeUndefined()
    expect(placementOf({ RANK: '0', WORLD_SIZE: '1' })).toBeUndefined()
  })

  test.each([
    [{ RANK: '4' }, "RANK is '4'; expected a whole number from 0 to 3."],
    [{ RANK: undefined }, 'RANK is not set; expected a whole number from 0 to 3.'],
    [{ RANK: '' }, "RANK is ''; expected a whole number from 0 to 3."],
    [{ WORLD_SIZE: 'two' }, "WORLD_SIZE is 'two'; expected a whole number of at least 1."],
    [{ WORLD_SIZE: undefined }, "RANK is set to '3', but WORLD_SIZE is not; set both, or neither."],
    [{ LOCAL_RANK: '-1' }, "LOCAL_RANK is '-1'; expected a whole number from 0 to 3."],
    [
      { LOCAL_WORLD_SIZE: '2' },
      'WORLD_SIZE is 4, and only LOCAL_WORLD_SIZE, 2, of these processes are on this machine',
    ],
    [
      { LOCAL_WORLD_SIZE: '2', VITRAL_COLLECTIVES: 'nccl' },
      'WORLD_SIZE is 4, and only LOCAL_WORLD_SIZE, 2, of these processes are on this machine',
    ],
    [{ MASTER_PORT: '0' }, "MASTER_PORT is '0'; expected a whole number from 1 to 65535."],
    [{ MASTER_PORT: undefined }, 'MASTER_PORT is not set; expected a whole number from 1 to 65535.'],
    [{ MASTER_ADDR: undefined }, 'MASTER_ADDR is not set; expected the name or address of the machine of rank 0'],
    [{ VITRAL_COLLECTIVES_TIMEOUT: 'soon' }, "VITRAL_COLLECTIVES_TIMEOUT is 'soon'; expected seconds"],
  ])('%j is refused', (wrong, message) => {
    expect(() => placementOf({ ...torchrun, ...wrong })).toThrow(message)
  })
})

const isLinux = process.platform === 'linux'
if (!isLinux)
  console.log(`vitral train in two processes is skipped: shared memory needs Linux, this is ${process.platform}.`)

describe.skipIf(!isLinux)('vitral train in two processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-group-'))
  beforeAll(() => writeTinyCifar(folder))
  const children: Bun.Subprocess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL') // of a test that failed
    rmSync(folder, { recursive: true })
  })

  const args = [
    ...['train', 'cifar10-demo', '--data', folder, '--backend', 'native', '--epochs', '2', '--batch-size', '8'],
    ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1', '--set', 'evalBatchSize=6'],
  ]
  const port = `${20_000 + (process.pid % 10_000)}`

  function start(rank: number, more: string[], worldSize = 2) {
    const env = { RANK: `${rank}`, WORLD_SIZE: `${worldSize}`, LOCAL_RANK: `${rank}` }
    const child = Bun.spawn([process.execPath, join(import.meta.dirname, '../cli/index.ts'), ...args, ...more], {
      cwd: folder,
      env: { ...process.env, ...env, MASTER_ADDR: 'localhost', MASTER_PORT: port, VITRAL_COLLECTIVES_TIMEOUT: '60' },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    children.push(child)
    return { child, ended: endOf(child) }
  }

  async function endOf(child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>) {
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { stdout, stderr, code }
  }

  const lines = (out: string): Record<string, unknown>[] =>
    readFileSync(join(folder, out, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
      .map(({ seconds, imagesPerSecond, ...rest }) => rest)

  test('they log what one does, and the first alone speaks', async () => {
    const both = [start(0, ['--out', 'two']), start(1, ['--out', 'nobody'])]
    const [first, second] = await Promise.all(both.map(({ ended }) => ended))
    expect(second).toEqual({ stdout: '', stderr: '', code: 0 })
    expect(first).toMatchObject({ code: 0 })
    expect(first?.stderr).toContain('2 processes')
    expect(first?.stdout).toStartWith('Best: ')
    expect(existsSync(join(folder, 'nobody'))).toBe(false)
    const one = await start(0, ['--out', 'one', '--set', 'microBatchSize=4'], 1).ended
    expect(one.code).toBe(0)
    expect(lines('two')).toEqual(lines('one'))
  }, 60_000)

  test('a process that cannot train keeps the others from it, and no run is begun', async () => {
    const both = [start(0, ['--out', 'never']), start(1, ['--out', 'never', '--data', 'nowhere'])]
    const [first, second] = await Promise.all(both.map(({ ended }) => ended))
    expect([first?.code, second?.code]).toEqual([1, 1])
    expect(second?.stderr).toContain('nowhere')
    expect(first?.stderr).toContain('rank 1')
    expect(existsSync(join(folder, 'never/recipe.json'))).toBe(false)
  }, 60_000)

  test('a process that is told to stop stops both with the state saved; versions of a recipe are compared', async () => {
    const long = ['--epochs', '500', '--out', 'stopped']
    const [first, second] = [start(0, long), start(1, long)]
    while (!existsSync(join(folder, 'stopped/checkpoints/step-000000005.safetensors'))) await Bun.sleep(20)
    second?.child.kill('SIGTERM')
    const [{ stderr, code }, other] = await Promise.all([first.ended, second.ended])
    expect([code, other?.code]).toEqual([143, 143])
    expect(stderr).toContain('the state is saved. To go on:')

    const differing = await Promise.all([start(0, long).ended, start(1, [...long, '--seed', '7']).ended])
    for (const result of differing) {
      expect(result.code).toBe(1)
      expect(result.stderr).toContain('Rank 1 was started with something else than rank 0: recipe.seed is 7')
    }
  }, 60_000)
})
