import { afterEach, expect, test } from 'bun:test'
import { startAll } from './benchmark.ts'
import type { ContestantOptions } from './protocol.ts'

const before = process.env.VITRAL_ISA
afterEach(() => {
  if (before === undefined) delete process.env.VITRAL_ISA
  else process.env.VITRAL_ISA = before
})

test('who cannot be held to the instruction set that is asked for does not take part', async () => {
  process.env.VITRAL_ISA = 'avx2'
  const options: ContestantOptions = {
    modelFolder: '',
    onnxFile: '',
    inputs: '',
    task: 'inference',
    threads: 2,
    learningRate: 1e-3,
  }
  const { present, absent } = await startAll(['onnxruntime'], options, false)
  expect(present).toEqual([])
  expect(absent).toEqual([{ contestant: 'onnxruntime', reason: 'cannot be held to avx2' }])
})
