/** Conformance of the backend `wasm` in whatever runs this file, as one line of JSON: for runtimes without bun:test. */
import { setWasmThreads, wasmInfo } from '@vitral/backend-web'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'

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
  const cases: { name: string; run: () => unknown }[] = []
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
