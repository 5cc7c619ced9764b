/** Conformance of the backend `wasm`, int8 too, in whatever runs this file: for runtimes without bun:test. */
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { int8Cases } from '../../core/test/int8-cases.ts'
import { type CasesReport, runCases } from './run-cases.ts'

export interface ConformanceReport extends CasesReport {
  instructionSet: string
  threads: number
}

/** The dot product of relaxed SIMD takes seven bits. */
export const weightLevels = (): 63 | 64 => (wasmInfo().instructionSet === 'relaxed-simd' ? 63 : 64)

export async function wasmConformance(threads: number): Promise<ConformanceReport> {
  await useBackend('wasm')
  setWasmThreads(threads)
  const cases = int8Cases(weightLevels)
  conformance({ test: (name, run) => void cases.push({ name, run }) })
  return { ...wasmInfo(), ...(await runCases(cases)) }
}
