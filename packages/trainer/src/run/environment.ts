/** What a run was computed with: versions, machine, and the state of the user's code. */
import { getBackend, version_core as tfjsVersion } from '@tensorflow/tfjs-core'
import { availableParallelism, machine } from '#platform'
import { vitralVersion } from '../version.ts'
import type { Machine } from './machine.ts'

export interface Environment extends Machine {
  vitral: string
  tfjs: string
  backend: string
  threads: number
}

export function environment(): Environment {
  const { runtime, platform, cpu, git } = machine()
  return {
    vitral: vitralVersion,
    tfjs: tfjsVersion,
    runtime,
    backend: getBackend(),
    platform,
    cpu,
    threads: availableParallelism(),
    git,
  }
}
