/** `vitral train` under a Slurm that the test starts: on one node, and over two. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stepsOf } from '../launched-run.ts'
import { type Slurm, startSlurm, whyNoSlurm } from '../slurm.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const reason = whyNoSlurm()
if (reason) console.log(`vitral train under Slurm is not tested: ${reason}.`)

describe.skipIf(reason !== undefined)('vitral train under srun', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-srun-'))
  let slurm: Slurm
  beforeAll(async () => {
    await writeTinyCifar(folder)
    slurm = await startSlurm()
  }, 120_000)
  afterAll(async () => {
    await slurm.stop()
    rmSync(folder, { recursive: true })
  }, 60_000)

  async function train(launcher: readonly string[], out: string, ...more: string[]) {
    const source = join(import.meta.dirname, '../../src/cli/index.ts')
    const args = ['train', 'cifar10-demo', '--data', folder, '--backend', 'native', '--out', join(folder, out)]
    const tiny = ['model.config.hiddenSize=8', 'model.config.numHiddenLayers=1', 'model.config.patchSize=8']
    const sets = tiny.flatMap(setting => ['--set', setting])
    const command = [...launcher, process.execPath, source, ...args, '--batch-size', '8', '--epochs', '1', ...sets]
    const child = Bun.spawn([...command, ...more], {
      ...{ cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
      // Open MPI asks for this where root starts it.
      env: { ...process.env, ...slurm.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
    })
    const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()] as const
    const [stdout, stderr] = await Promise.all(texts)
    return { stdout, stderr, code: await child.exited }
  }

  test.each([['none'], ['pmi2']])(
    'two processes of one node train together without an MPI (--mpi=%s)',
    async mpi => {
      const { stderr, code } = await train(['srun', '-N', '1', '-n', '2', `--mpi=${mpi}`], `one-${mpi}`)
      expect({ stderr, code }).toEqual({ stderr: expect.stringContaining('2 processes'), code: 0 })
      const alone = await train([], 'alone', '--set', 'microBatchSize=4')
      expect(alone.code).toBe(0)
      const losses = (out: string): number[] => stepsOf(folder, out).map(({ loss }) => loss)
      expect(losses(`one-${mpi}`)).toEqual(losses('alone'))
      rmSync(join(folder, 'alone'), { recursive: true })
    },
    120_000,
  )

  const mpirun = Bun.which('mpirun')
  if (!mpirun) console.log('vitral train --nnodes in a Slurm allocation is not tested: there is no mpirun.')
  test.skipIf(!mpirun)(
    '--nnodes in an allocation of two nodes trains on both',
    async () => {
      const { stderr, code } = await train(['salloc', '-N', '2', '-n', '4'], 'both', '--nnodes', '2', '--nproc', '1')
      expect({ stderr, code }).toEqual({ stderr: expect.stringContaining('2 processes'), code: 0 })
    },
    120_000,
  )

  test('over two nodes without an MPI, one line says what works', async () => {
    const { stderr, code } = await train(['srun', '-N', '2', '-n', '2', '--mpi=none'], 'two')
    expect(code).toBe(1)
    const lines = stderr.split('\n').filter(line => line.startsWith('vitral train:'))
    expect(lines[0]).toMatch(/^vitral train: srun over 2 machines was started without --mpi, .*--nnodes 2 --nproc N/)
    expect(stderr).not.toMatch(/MPI_Init| {4}at /)
    expect(existsSync(join(folder, 'two'))).toBe(false)
  }, 120_000)
})
