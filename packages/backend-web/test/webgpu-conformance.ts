/** Conformance of the backend `webgpu` in a page. */
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { type CasesReport, runCases } from './run-cases.ts'

/** Runs the cases whose names match. */
export async function webgpuConformance(pattern: string): Promise<CasesReport> {
  await useBackend('webgpu')
  const cases: Parameters<typeof runCases>[0][number][] = []
  conformance({ test: (name, run) => void cases.push({ name, run }) })
  return await runCases(cases.filter(({ name }) => new RegExp(pattern).test(name)))
}
