/** The `native` backend: C++ kernels on the CPU. */
import { availableParallelism, cpus } from 'node:os'
import { findBackendFactory } from '@tensorflow/tfjs-core'
import { checkInteger } from '@vitral/core/check'
import { bestRate, KernelBackend, registerKernelBackend } from '@vitral/core/kernels'
import { loadAddon } from './addon.ts'
import type { InstructionSet } from './instruction-set.ts'
import { nativeMemory } from './memory.ts'

/** The processor, and what the kernels use of it. */
export interface DeviceInfo {
  /** What the processor calls itself. */
  cpu: string
  /** Processors this process may use. */
  cores: number
  /** Threads the kernels use. */
  threads: number
  /** Which of the compiled kernels run. */
  instructionSet: InstructionSet
}

/**
 * Registers the backend `native` with tfjs-core; `useBackend('native')` of @vitral/core calls it.
 *
 * @throws when the addon has not been built, with how to build it
 */
export async function startNative(): Promise<void> {
  loadAddon() // before anything is registered: tfjs only warns when a backend's factory throws
  if (findBackendFactory('native')) return
  registerKernelBackend('native', () => new KernelBackend(loadAddon(), nativeMemory))
}

/** Sets the number of threads of all native backends in this process; by default the processors it may use. */
export function setThreads(threads: number): void {
  checkInteger('setThreads: threads', threads, 1, 256)
  loadAddon().setThreads(threads)
}

/** What the kernels run on. */
export function deviceInfo(): DeviceInfo {
  const addon = loadAddon()
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    threads: addon.threads(),
    instructionSet: addon.instructionSet(),
  }
}

/**
 * The time that so many operations take at least, in milliseconds: they are carried out as fused multiply-adds (two each)
 * of float32 numbers that stay in registers.
 */
export function multiplyAdd(operations: number, threads: number = loadAddon().threads()): number {
  return loadAddon().multiplyAdd(operations, threads)
}

/** The rate at which the CPU multiplies and adds from registers, in GFLOP/s: the best of a few short bursts. */
export function measurePeak(threads: number = loadAddon().threads()): number {
  return bestRate(operations => multiplyAdd(operations, threads), threads)
}
