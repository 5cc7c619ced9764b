/** Conformance in runtimes without bun:test. */
import type { ConformanceCase } from '@vitral/core/conformance'

/** What became of the cases. */
export interface CasesReport {
  passed: number
  /** Each with its error. */
  failed: string[]
}

/** Runs cases one after another, on the current backend. */
export async function runCases(cases: readonly ConformanceCase[]): Promise<CasesReport> {
  const failed: string[] = []
  for (const { name, run } of cases)
    try {
      await run()
    } catch (error) {
      failed.push(`${name}: ${(error as Error).message}`)
    }
  return { passed: cases.length - failed.length, failed }
}
