/** Conformance of the backend `wasm`, int8 too, in whatever runs this file: for runtimes without bun:test. */
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { int8Cases } from '../../core/test/int8-cases.ts'

export interface ConformanceReport {
  instructionSet: string
  threads: number
  passed: number
  /** Each with its error. */
  failed: string[]
}

export async function wasmConformance(threads: number): Promise<ConformanceReport> {
  await useBackend('wasm')
  setWasmThreads(threads)
  const cases = int8Cases()
  conformance({ test: (name, run) => void cases.push({ name, run }) })
  const failed: string[] = []
  for (const { name, run } of cases)
    try {
      await run()
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`)
    }
  return { ...wasmInfo(), passed: cases.length - failed.length, failed }
}
