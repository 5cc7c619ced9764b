/** The versions that a run was computed with. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { getBackend } from '@tensorflow/tfjs-core'

export interface Environment {
  vitral: string
  /** Such as 'bun 1.4.5'. */
  runtime: string
  backend: string
  platform: string
  cpu: string
  threads: number
}

export function environment(): Environment {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { bun, node } = process.versions
  return {
    vitral: version,
    runtime: bun ? `bun ${bun}` : `node ${node}`,
    backend: getBackend(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
  }
}
