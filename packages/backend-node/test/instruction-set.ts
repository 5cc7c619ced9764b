/** Run by conformance.test.ts in a process of its own, with VITRAL_ISA set: the choice is made when the addon loads. */
import { beforeAll, expect, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { deviceInfo } from '../src/index.ts'

beforeAll(() => useBackend('native'))

test('the instruction set is the one asked for', () => {
  expect<string>(deviceInfo().instructionSet).toBe(process.env.VITRAL_ISA ?? 'unset')
})
conformance({ test: (name, run) => test(name, run) })
