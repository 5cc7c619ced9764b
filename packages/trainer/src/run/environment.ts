/** What a run was computed with: versions, machine, and the state of the user's code. */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { getBackend, version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { vitralVersion } from '../version.ts'

export interface GitState {
  commit: string
  /** Whether files that git follows differ from the commit. */
  changed: boolean
}

export interface Environment {
  vitral: string
  tfjs: string
  /** Such as 'bun 1.4.5'. */
  runtime: string
  backend: string
  platform: string
  cpu: string
  threads: number
  /** State of the working directory's repository. */
  git?: GitState
}

export function environment(): Environment {
  const { bun, node } = process.versions
  return {
    vitral: vitralVersion(),
    tfjs: tfjsVersion,
    runtime: bun ? `bun ${bun}` : `node ${node}`,
    backend: getBackend(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
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
