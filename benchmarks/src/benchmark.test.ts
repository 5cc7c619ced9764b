import { afterEach, expect, test } from 'bun:test'
import { options } from '../test/options.ts'
import { startAll } from './benchmark.ts'

const before = process.env.VITRAL_ISA
afterEach(() => {
  if (before === undefined) delete process.env.VITRAL_ISA
  else process.env.VITRAL_ISA = before
})

test('who cannot be held to the instruction set that is asked for does not take part', async () => {
  process.env.VITRAL_ISA = 'avx2'
  const { present, absent } = await startAll(['onnxruntime'], options, false)
  expect(present).toEqual([])
  expect(absent).toEqual([{ contestant: 'onnxruntime', reason: 'cannot be held to avx2' }])
})
