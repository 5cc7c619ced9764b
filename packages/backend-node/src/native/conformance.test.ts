import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { deviceInfo, setThreads } from './index.ts'

for (const threads of [1, 2, 3])
  describe(`conformance of native, ${threads} threads`, () => {
    beforeAll(async () => {
      await useBackend('native')
      setThreads(threads)
    })
    afterAll(() => setThreads(availableParallelism()))
    conformance({ test: (name, run) => test(name, run) })
  })

const ranked = ['portable', 'avx2', 'avx512', 'avx512bf16', 'amx']

// The instruction set is chosen when the addon is loaded, so each of the others has a process of its own.
for (const instructionSet of ['portable', 'avx2', 'avx512', 'avx512bf16'])
  test.skipIf(!runs(instructionSet))(`conformance of native with ${instructionSet} instructions`, async () => {
    const child = Bun.spawn([process.execPath, 'test', '--timeout', '120000', './test/instruction-set.ts'], {
      cwd: join(import.meta.dir, '../..'),
      env: { ...process.env, VITRAL_ISA: instructionSet },
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const errors = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(errors)
    expect(errors).toMatch(/[1-9]\d* pass\n 0 fail/)
  })

function runs(instructionSet: string): boolean {
  const has = ranked.indexOf(instructionSet) < ranked.indexOf(deviceInfo().instructionSet)
  if (!has) console.log(`skipped ${instructionSet}: this processor does not have it, or it is the one that ran above`)
  return has
}
