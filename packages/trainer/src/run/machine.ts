/** The machine that a run is computed on, and the state of the user's code there. */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

export interface GitState {
  commit: string
  /** Whether files that git follows differ from the commit. */
  changed: boolean
}

export interface Machine {
  /** Such as 'bun 1.4.5'; of a page its browser. */
  runtime: string
  platform: string
  cpu: string
  /** State of the working directory's repository. */
  git?: GitState
}

export function machine(): Machine {
  const { bun, node } = process.versions
  return {
    runtime: bun ? `bun ${bun}` : `node ${node}`,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    git: gitState(process.cwd()),
  }
}

/** The state of the repository that a folder is in; nothing where there is none, it has no commit, or git is not installed. */
function gitState(folder: string): GitState | undefined {
  const git = (...args: string[]) => {
    const { status, stdout } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8', timeout: 10_000 })
    return status === 0 ? stdout.trim() : undefined
  }
  const commit = git('rev-parse', 'HEAD')
  const status = git('--no-optional-locks', 'status', '--porcelain', '--untracked-files=no')
  return commit === undefined || status === undefined ? undefined : { commit, changed: status !== '' }
}
