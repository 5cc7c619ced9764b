/** `vitral train --hosts`: under each mpirun that is installed, on this machine. test/hosts/ has several, with networks of their own. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-hosts-'))
beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const mpiruns = ['mpirun.openmpi', 'mpirun.mpich'].filter(name => Bun.which(name))
if (mpiruns.length === 0)
  console.log('skipped: training through MPI, for neither Open MPI nor MPICH is there (apt-get install openmpi-bin)')

const train = (out: string, env: Record<string, string>, ...args: string[]) =>
  Bun.spawn(
    [
      ...[
        process.execPath,
        join(import.meta.dirname, '../../src/cli/index.ts'),
        'train',
        'cifar10-demo',
        '--data',
        folder,
      ],
      ...['--backend', 'cpu', '--batch-size', '8', '--out', out, '--set', 'model.config.hiddenSize=8'],
      ...['--set', 'model.config.numHiddenLayers=1', '--set', 'model.config.patchSize=8', '--nproc', '2', ...args],
    ],
    {
      cwd: folder,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1', ...env },
    },
  )

const weights = (out: string): Buffer => readFileSync(join(folder, out, 'best/model.safetensors'))
const steps = (out: string): number => {
  const path = join(folder, out, 'metrics.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0
}

/** Those of the run, whoever is their parent. */
function ranksOf(out: string): { pid: number; rank: string }[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const [command, env] = ['cmdline', 'environ'].map(name =>
        readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0'),
      )
      const rank = env?.find(line => /^(OMPI_COMM_WORLD_RANK|PMI_RANK)=/.test(line))?.split('=')[1]
      return command?.includes(out) && rank ? [{ pid: Number(pid), rank }] : []
    } catch {
      return []
    }
  })
}

const none = async (out: string): Promise<boolean> => {
  for (let i = 0; i < 200 && ranksOf(out).length > 0; i++) await Bun.sleep(50)
  return ranksOf(out).length === 0
}

describe.each(mpiruns)('under %s', mpirun => {
  const start = (out: string, ...args: string[]) =>
    train(`${mpirun}-${out}`, { VITRAL_MPIRUN: mpirun }, '--hosts', 'localhost', ...args)

  test('the model has the bits of one that was trained through shared memory', async () => {
    const local = train(`${mpirun}-local`, {}, '--epochs', '2')
    const child = start('mpi', '--epochs', '2', '--json')
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect({ code: await child.exited, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 processes'),
    })
    expect(JSON.parse(stdout)).toMatchObject({ finished: true, epochs: 2, steps: 10 })
    expect(await local.exited).toBe(0)
    expect(weights(`${mpirun}-mpi`).equals(weights(`${mpirun}-local`))).toBe(true)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends the run with its state saved', async signal => {
    const child = start(signal, '--epochs', '10000')
    const stderr = new Response(child.stderr).text()
    while (steps(`${mpirun}-${signal}`) < 3) await Bun.sleep(10)
    child.kill(signal)
    expect(await child.exited).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(await stderr).toMatch(/Stopped after step \d+; the state is saved/)
    expect(readdirSync(join(folder, `${mpirun}-${signal}`, 'checkpoints')).length).toBeGreaterThan(0)
    expect(await none(`${mpirun}-${signal}`)).toBe(true)
  })

  test('when a rank is killed all begin again from the last checkpoint, and end with the bits of one that was not', async () => {
    const args = ['--epochs', '8', '--checkpoint-every', '3']
    const undisturbed = start('undisturbed', ...args)
    const child = start('killed', ...args, '--max-restarts', '1')
    const out = `${mpirun}-killed`
    while (steps(out) < 7) await Bun.sleep(2)
    process.kill(ranksOf(out).find(({ rank }) => rank === '1')?.pid as number, 'SIGKILL')
    const stderr = await new Response(child.stderr).text()
    expect({ code: await child.exited, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Starting all again, 1 of 1 times.'),
    })
    expect(await undisturbed.exited).toBe(0)
    expect(weights(out).equals(weights(`${mpirun}-undisturbed`))).toBe(true)
  })

  test('a rank that hangs is named, and the run ends', async () => {
    const out = `${mpirun}-hung`
    const child = start('hung', '--epochs', '10000', '--timeout', '2')
    while (steps(out) < 3) await Bun.sleep(10)
    process.kill(ranksOf(out).find(({ rank }) => rank === '1')?.pid as number, 'SIGSTOP')
    const stderr = await new Response(child.stderr).text()
    expect(await child.exited).not.toBe(0)
    expect(stderr).toContain('failed on rank 0: rank 1 has not come within 2000 ms')
    expect(await none(out)).toBe(true)
  })

  test('an error is told with its rank', async () => {
    const child = start('absent', '--data', join(folder, 'nowhere'))
    const stderr = await new Response(child.stderr).text()
    expect(await child.exited).toBe(1)
    expect(stderr).toMatch(/vitral train \(rank \d of 2\): .*nowhere/)
  })

  test.each(['the launcher', 'mpirun'])('when %s is killed, none stays', async who => {
    const out = `${mpirun}-without-${who.replace(' ', '-')}`
    const child = train(out, { VITRAL_MPIRUN: mpirun }, '--hosts', 'localhost', '--epochs', '10000')
    while (steps(out) < 3) await Bun.sleep(10)
    const files = filesOf(ranksOf(out)[0]?.pid as number)
    if (mpirun === 'mpirun.openmpi') expect(files()).toHaveLength(3)
    const parent = who === 'mpirun' ? mpirunOf(child.pid) : child.pid
    process.kill(parent, 'SIGKILL')
    await child.exited
    expect(await none(out)).toBe(true)
    for (let i = 0; i < 200 && files().length > 0; i++) await Bun.sleep(50)
    expect(files()).toEqual([])
  })
})

/** @returns what is there of the files of its Open MPI: the memory of each process, and a folder */
function filesOf(rank: number): () => string[] {
  const environment = readFileSync(`/proc/${rank}/environ`, 'utf8')
  const variable = (name: string): string => new RegExp(`\\0OMPI_MCA_${name}=([^\\0]*)`).exec(environment)?.[1] ?? ''
  const [job, folder] = [Number(variable('ess_base_jobid')).toString(16), variable('orte_jobfam_session_dir')]
  return () => [
    ...readdirSync('/dev/shm').filter(name => name.startsWith('vader_segment.') && name.includes(`.${job}.`)),
    ...(existsSync(folder) ? [folder] : []),
  ]
}

const mpirunOf = (launcher: number): number =>
  Number(readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'utf8').trim().split(' ')[0])

test.each([
  [['--hosts', 'a,b', '--nnodes', '3'], '--hosts names 2 machines, and --nnodes is 3.'],
  [['--hosts', 'a;reboot'], "--hosts is 'a;reboot'; expected names or addresses"],
  [
    ['--hosts', 'a,b', '--min-nproc', '1'],
    '--min-nproc is for the processes of one machine; leave it out with --nnodes.',
  ],
  [['--nnodes', '0'], "--nnodes is '0'; expected"],
])('%j is refused in a line', async (args, message) => {
  const child = train('refused', {}, ...args)
  const stderr = await new Response(child.stderr).text()
  expect(await child.exited).toBe(1)
  expect(stderr).toContain(message)
})

test('without an MPI it says what to install', async () => {
  const child = train('refused', { VITRAL_MPIRUN: '/no/mpirun' }, '--hosts', 'a,b')
  const stderr = await new Response(child.stderr).text()
  expect(await child.exited).toBe(1)
  expect(stderr).toMatch(/Several machines need an MPI on each, and \/no\/mpirun cannot be started here .*openmpi-bin/)
})
