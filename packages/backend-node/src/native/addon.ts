/** Finds and loads the compiled kernels. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Kernels } from '@vitral/core/kernels'
import type { InstructionSet } from './instruction-set.ts'

/** The kernels, and what they run on. */
export interface Addon extends Kernels {
  /** Memory of at least so many bytes, aligned for the kernels; its contents are undefined. */
  allocate(bytes: number): ArrayBuffer
  /**
   * Gives the pages of such memory back to the system at once; its contents are lost. A runtime frees it only when its
   * event loop turns, and that may be long after it was let go.
   */
  discard(buffer: ArrayBuffer): void
  threads(): number
  setThreads(threads: number): void
  instructionSet(): InstructionSet
  /** Milliseconds that so many operations take when nothing but registers is used, a fused multiply-add being two. */
  multiplyAdd(operations: number, threads: number): number
}

const platform = `${process.platform}-${process.arch}`

/** Where a binary may be. What was built on this machine comes first: who builds wants it used. */
const places = [
  // The same from src and from dist: both are one folder below the package.
  join(import.meta.dirname, '..', '..', 'build', platform, 'vitral.node'),
  `@vitral/backend-node-${platform}`,
]

let loaded: Addon | undefined

/**
 * Loads the addon, once: the one built here by `vitral-build-native`, or the one in the platform's package.
 *
 * @throws when there is no binary for this platform, or it cannot be loaded, with how to build it
 */
export function loadAddon(): Addon {
  const failures: string[] = []
  for (const place of loaded ? [] : places) {
    try {
      loaded = createRequire(import.meta.url)(place) as Addon
      break
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      failures.push(code === 'MODULE_NOT_FOUND' ? `there is no ${place}` : (message.split('\n')[0] ?? ''))
    }
  }
  if (loaded) return loaded
  throw new Error(
    `There are no native kernels for ${platform} here: ${failures.join('; ')}. With a C++ compiler installed, build them ` +
      'by: npx vitral-build-native',
  )
}
