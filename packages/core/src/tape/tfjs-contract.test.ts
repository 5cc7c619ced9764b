/** What we lean on in tfjs-core 4.22.0 beyond its documented surface. tfjs is frozen; if it moves, this says where. */
import { beforeAll, expect, test } from 'bun:test'
import {
  engine,
  getGradient,
  memory,
  scalar,
  setBackend,
  square,
  sum,
  tensor1d,
  tidy,
  version_core,
} from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '#stock-gradients'

beforeAll(() => setBackend('cpu'))

test('the version is the pinned one', () => expect(version_core).toBe('4.22.0'))

test('the engine lives on globalThis, so two copies of the library share it', () => {
  expect((globalThis as unknown as { _tfengine: unknown })._tfengine).toBe(engine())
})

test('stock gradients are registered by importing stock-gradients', () => {
  for (const name of ['Add', 'BatchMatMul', 'Softmax', 'Erf', 'Concat', 'Slice', 'Max'])
    expect(getGradient(name)).toBeDefined()
})

test('a tape opened by its public fields records nodes with inputs, outputs, saved tensors and a gradient', () => {
  const { state } = engine()
  const x = tensor1d([1, 2, 3])
  state.activeTape = []
  state.gradientDepth++
  const tape = state.activeTape
  expect(engine().isTapeOn()).toBe(true)
  const y = tidy(() => sum(square(x)))
  state.gradientDepth--
  expect(engine().isTapeOn()).toBe(false)

  const node = tape.find(({ kernelName }) => kernelName === 'Square')
  expect(Object.keys(node?.inputs ?? {})).toEqual(['x'])
  expect(node?.outputs.length).toBe(1)
  expect(node?.saved?.length).toBe(1)
  expect(node?.gradient).toBeFunction()
  for (const { saved } of tape) for (const tensor of saved ?? []) tensor.dispose()
  for (const tensor of [x, y]) tensor.dispose()
})

test('saved tensors survive the tidy in which they were saved', () => {
  const before = memory().numTensors
  const { state } = engine()
  const x = scalar(2)
  state.activeTape = []
  state.gradientDepth++
  const tape = state.activeTape
  tidy(() => square(x)).dispose()
  state.gradientDepth--
  const saved = tape.flatMap(node => node.saved ?? [])
  expect(saved.some(tensor => !tensor.isDisposed)).toBe(true)
  for (const tensor of [...saved, x]) tensor.dispose()
  expect(memory().numTensors).toBe(before)
})
