import { expect, test } from 'bun:test'
import { memory, tensor1d, tensor4d, type Variable, variable } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'
import { createModelEma } from './model-ema.ts'

const valuesOf = async (parameter: Variable | undefined): Promise<number[]> => [...((await parameter?.data()) ?? [])]

for (const backend of ['cpu', 'native'] as BackendName[]) {
  const problem = await useBackend(backend).then(
    () => '',
    (error: Error) => error.message,
  )
  if (problem) console.log(`Averages on ${backend} are skipped: ${problem}`)

  test.skipIf(problem !== '')(`on ${backend} the averages follow, and swap with the parameters`, async () => {
    await useBackend(backend)
    const parameter = variable(tensor1d([1, -2, 3]))
    const before = memory().numTensors
    const ema = createModelEma(new Map([['a', parameter]]), { decay: 0.9, warmup: false })
    let expected = [1, -2, 3]
    for (let step = 1; step <= 5; step++) {
      const values = [step, 2 * step, -step]
      const next = tensor1d(values)
      parameter.assign(next)
      next.dispose()
      ema.update(step)
      expected = expected.map((average, i) => 0.9 * average + 0.1 * (values[i] as number))
    }
    expect(await valuesOf(parameter)).toEqual([5, 10, -5])
    ema.swap()
    for (const [i, value] of (await valuesOf(parameter)).entries()) expect(value).toBeCloseTo(expected[i] as number, 5)
    ema.swap()
    expect(await valuesOf(parameter)).toEqual([5, 10, -5])

    const saved = await ema.state()
    const again = createModelEma(new Map([['a', parameter]]), { decay: 0.9, warmup: false })
    again.load(saved)
    for (const one of [ema, again]) one.update(6)
    expect(await again.state()).toEqual(await ema.state())
    expect(() => again.load(new Map())).toThrow("The average of 'a' has shape [missing]; expected [3].")
    for (const one of [ema, again]) one.dispose()
    expect(memory().numTensors).toBe(before)
  })

  test.skipIf(problem !== '')(`on ${backend} a model computes with what was swapped in`, async () => {
    await useBackend(backend)
    const config = { imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, numLabels: 2 }
    const [model, other] = [1, 2].map(seed => new ViTForImageClassification(config, { seed })) as [
      ViTForImageClassification,
      ViTForImageClassification,
    ]
    const pixelValues = tensor4d(
      Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
      [1, 3, 8, 8],
    )
    const logitsOf = async (of: ViTForImageClassification) => [...(await of.forward(pixelValues).logits.data())]
    const [first, second] = [await logitsOf(model), await logitsOf(other)]
    const ema = createModelEma(model.parameters())
    const state = new Map<string, { shape: number[]; data: Float32Array }>()
    for (const [name, parameter] of other.parameters())
      state.set(name, { shape: parameter.shape, data: (await parameter.data()) as Float32Array })
    ema.load(state)
    ema.swap()
    expect(await logitsOf(model)).toEqual(second)
    ema.swap()
    expect(await logitsOf(model)).toEqual(first)
  })
}

test('early averages follow faster, unless told not to', async () => {
  await useBackend('cpu')
  const parameter = variable(tensor1d([0]))
  const ema = createModelEma(new Map([['a', parameter]]))
  parameter.assign(tensor1d([1]))
  ema.update(1)
  expect((await ema.state()).get('a')?.data[0]).toBeCloseTo(1 - 2 / 11, 6)
  expect(() => createModelEma(new Map(), { decay: 1.5 })).toThrow('decay is 1.5; expected a number from 0 to 1')
})
