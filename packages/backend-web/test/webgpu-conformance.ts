/** Conformance of the backend `webgpu` in a page. */
import { useBackend } from '@vitral/core'
import { conformanceCases } from '@vitral/core/conformance'
import { type CasesReport, runCases } from './run-cases.ts'

/** Runs the cases whose names match. */
export async function webgpuConformance(pattern: string): Promise<CasesReport> {
  await useBackend('webgpu')
  return await runCases(conformanceCases().filter(({ name }) => new RegExp(pattern).test(name)))
}
