/** A run of `vitral train --nproc` on tiny data, for tests: what it is started by, and what of it lives. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const source = join(import.meta.dirname, '../src/cli/index.ts')

export interface LaunchedRun {
  /** @default this runtime, from the source */
  program?: readonly string[]
  /** With the data set. */
  folder: string
  /** The run's, in it. */
  out: string
  /** @default 'cifar10-demo' */
  recipe?: string
}

export const startLaunched = (
  { program = [process.execPath, source], folder, out, recipe = 'cifar10-demo' }: LaunchedRun,
  ...args: string[]
): Bun.Subprocess<'ignore', 'pipe', 'pipe'> =>
  Bun.spawn(
    [
      ...[...program, 'train', recipe, '--data', folder, '--backend', 'cpu', '--out', out],
      ...['--batch-size', '8', '--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
      ...['--set', 'model.config.patchSize=8', ...args],
    ],
    { cwd: folder, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )

/** The launched processes of a run that live. */
export function rankProcesses(out: string): { pid: number; rank: string }[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--out\0${out}\0`)) return []
      const rank = /\0RANK=(\d+)\0/.exec(`\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`)?.[1]
      return rank === undefined ? [] : [{ pid: Number(pid), rank }]
    } catch {
      return [] // it has just ended
    }
  })
}

/** The process of a rank, once it is there. */
export async function rankOf(out: string, rank: number): Promise<number> {
  for (;;) {
    const found = rankProcesses(out).find(process => process.rank === String(rank))
    if (found) return found.pid
    await Bun.sleep(2)
  }
}

export interface LoggedStep {
  step: number
  loss: number
}

/** The steps that a run has logged. */
export function stepsOf(folder: string, out: string): LoggedStep[] {
  const path = join(folder, out, 'metrics.jsonl')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map(line => JSON.parse(line)).filter(({ event }) => event === 'step')
}

/** The file by which the processes of a run on this port meet. */
export const meetingFile = (port: number): string =>
  `/dev/shm/vitral-${process.getuid?.()}-${createHash('sha256').update(`127.0.0.1:${port}`).digest('hex').slice(0, 32)}`
