/** What a run was computed with: versions, machine, and the state of the user's code. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { getBackend, version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { type GitState, gitState } from './git-state.ts'

export interface Environment {
  vitral: string
  tfjs: string
  /** Such as 'bun 1.4.5'. */
  runtime: string
  backend: string
  platform: string
  cpu: string
  threads: number
  /** Of the working directory. */
  git?: GitState
}

export function vitralVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
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
