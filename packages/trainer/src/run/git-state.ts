/** Which version of the user's own code a run was begun with. */
import { spawnSync } from 'node:child_process'

export interface GitState {
  commit: string
  /** Whether files that git follows differ from the commit. */
  changed: boolean
}

/** Of the folder's repository; nothing when it is in none, or has no commit, or git is not installed. */
export function gitState(folder: string): GitState | undefined {
  const git = (...args: string[]) => {
    const { status, stdout } = spawnSync('git', ['-C', folder, ...args], { encoding: 'utf8', timeout: 10_000 })
    return status === 0 ? stdout.trim() : undefined
  }
  const commit = git('rev-parse', 'HEAD')
  const status = git('--no-optional-locks', 'status', '--porcelain', '--untracked-files=no')
  return commit === undefined || status === undefined ? undefined : { commit, changed: status !== '' }
}
