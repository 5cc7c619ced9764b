/**
 * Several processes against one, on a tiny ViT: the same steps, on the same images.
 *
 * Against one process that takes the batch in micro-batches of the processes' shares the bits are the same, since both
 * sum the same parts in the same order. Against one that takes it whole they differ by the rounding of those sums: the
 * gradient of a parameter is a sum of n products either way, in another order, so each is within n·2⁻²⁴ of the other,
 * relative to the sum of their sizes (n is at most 500 here: 3e-5). AdamW divides a gradient by its own size, so its eps is
 * raised to 1e-4: with the usual one, gradients that are zero but for rounding (a key's bias has no effect on the softmax)
 * would move their parameters by lr in a direction of chance, with one process or many. So an update of lr 0.02 differs by
 * less than 1e-6, and those of a few steps by less than 5e-6.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Rank, zeros } from '@tensorflow/tfjs-core'
import { type BackendName, useBackend, ViTForImageClassification } from '@vitral/core'
import { type StepsOptions, type StepsResult, scenarios } from '../../test/ddp-scenarios.ts'
import { type Ranks, startRanks } from '../../test/ranks.ts'
import { createOptimizer } from '../optimizers/index.ts'
import { trainStep } from '../step/train-step.ts'
import { alone, type Collectives } from './collectives.ts'
import { DataParallel } from './data-parallel.ts'

let ranks: Ranks
beforeAll(() => {
  ranks = startRanks(3)
})
afterAll(() => ranks.end())

const backend: BackendName = 'native'
const plain: StepsOptions = { backend, batches: [6, 6, 6, 6] }

async function inProcesses(worldSize: number, options: StepsOptions): Promise<StepsResult> {
  const settled = await ranks.run(worldSize, 'steps', () => options)
  const results = settled.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
  for (const result of results) expect(result).toEqual(results[0] as StepsResult) // also losses, norms and scale
  return results[0] as StepsResult
}

const inOne = (options: StepsOptions): Promise<StepsResult> => scenarios.steps(alone, options)

function expectClose(given: Record<string, Float32Array>, expected: Record<string, Float32Array>): void {
  expect(Object.keys(given)).toEqual(Object.keys(expected))
  for (const [name, values] of Object.entries(expected)) {
    const furthest = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - (given[name]?.[i] as number))),
      0,
    )
    expect({ name, furthest, isClose: furthest < 5e-6 }).toMatchObject({ name, isClose: true })
  }
}

describe('several processes train what one does', () => {
  const cases: [string, number, Partial<StepsOptions>, micro: number | undefined][] = [
    ['two', 2, {}, 3],
    ['three', 3, {}, 2],
    ['two, with dropout', 2, { dropout: 0.2 }, 3],
    ['three, clipped', 3, { clipGradNorm: 0.3 }, 2],
    ['two, with a scaler and clipped', 2, { scale: 1024, clipGradNorm: 0.3 }, 3],
    ['two, each in micro-batches', 2, { batches: [8, 8, 8], microBatchSize: 2, dropout: 0.1 }, undefined],
    ['three, with buckets of one parameter', 3, { bucketBytes: 4 }, 2],
    ['two, with gradient checkpointing', 2, { gradientCheckpointing: true, dropout: 0.1 }, 3],
    ['two, in bfloat16', 2, { precision: 'bfloat16', scale: 1024 }, 3],
  ]
  test.each(cases)('%s', async (_, worldSize, options, micro) => {
    const settings = { ...plain, ...options }
    const given = await inProcesses(worldSize, settings)
    expect(given.tensors).toBe(0)
    const split = await inOne({ ...settings, microBatchSize: micro ?? settings.microBatchSize })
    if (micro) expect(given).toEqual(split)
    else expectClose(given.parameters, split.parameters) // another grouping of four terms
    if (options.dropout || options.precision) return // of each micro-batch its own; rounded coarsely
    const whole = await inOne(settings)
    expectClose(given.parameters, whole.parameters)
    expectClose(given.averages, whole.averages)
    for (const [i, loss] of whole.losses.entries()) expect(given.losses[i]).toBeCloseTo(loss, 5)
  })

  test('batches that cannot be shared evenly, and such with fewer images than processes, count as in one', async () => {
    const settings = { ...plain, batches: [7, 5, 4, 2, 1], clipGradNorm: 0.5 }
    const given = await inProcesses(3, settings)
    const whole = await inOne(settings)
    expectClose(given.parameters, whole.parameters)
    expectClose(given.averages, whole.averages)
    for (const [i, loss] of whole.losses.entries()) expect(given.losses[i]).toBeCloseTo(loss, 5)
  })

  test.each<BackendName>(['cpu', 'wasm'])('on the backend %s', async backend => {
    const settings: StepsOptions = { ...plain, backend, batches: [4, 4] }
    expect(await inProcesses(2, settings)).toEqual(await inOne({ ...settings, microBatchSize: 2 }))
  })
})

test('a gradient that overflows in one process makes all leave the step out, with the same scale afterwards', async () => {
  const settings = { ...plain, scale: 1024 }
  const settled = await ranks.run(2, 'steps', rank => ({
    ...settings,
    ...(rank === 1 && { bad: { step: 1, value: Number.POSITIVE_INFINITY } }),
  }))
  const [first, second] = settled.map(result => (result.status === 'fulfilled' ? result.value : undefined))
  expect(first?.skipped).toEqual([false, true, false, false])
  expect(first?.scale).toBe(1024) // halved, and doubled after two good steps
  expect(second).toEqual(first as StepsResult)
})

test('a loss that is no number ends all, and the process whose images did it says where it began', async () => {
  const settled = await ranks.run(2, 'steps', rank => ({
    ...plain,
    ...(rank === 1 && { bad: { step: 1, value: Number.NaN } }),
  }))
  const messages = settled.map(result => (result.status === 'rejected' ? (result.reason as Error).message : ''))
  expect(messages[0]).toContain('another process says where it began')
  expect(messages[1]).toContain('it began in the data or its transforms')
})

const oneLayer = {
  ...{ imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 },
  ...{ numChannels: 1, numLabels: 3 },
}

/** Numbers that train. */
const sizeOf = (model: ViTForImageClassification): number =>
  [...model.trainableParameters().values()].reduce((sum, { size }) => sum + size, 0)

test('sums begin while the backward pass goes on, and the last of them needs nothing after it', async () => {
  await useBackend('native')
  const model = new ViTForImageClassification(oneLayer, { seed: 1 })
  let sent = 0
  const counting: Collectives = {
    ...alone,
    async allReduce(values) {
      sent += values.length
    },
  }
  const parallel = new DataParallel(counting, model.trainableParameters(), { bucketBytes: 256 })
  const pixels = zeros<Rank.R4>([1, 1, 8, 8])
  const sentBefore = new Map<string, number>()
  for (let step = 0; step < 2; step++) {
    // After the first step it is known in which order the gradients come.
    sent = 0
    await parallel.share(1)
    const send = parallel.sender()
    const onGradient: typeof send = (name, gradient) => {
      sentBefore.set(name, sent)
      send?.(name, gradient)
    }
    const { loss, logits, grads } = model.valueAndGrads(pixels, [0], { onGradient })
    for (const tensor of [loss, logits]) tensor.dispose()
    if (step === 1) expect(sent).toBe(sizeOf(model))
    const reduced = await parallel.reduce({ grads })
    for (const tensor of Object.values(reduced.grads)) tensor.dispose()
  }
  expect(sentBefore.get('classifier.bias')).toBe(0)
  expect(sentBefore.get('vit.embeddings.cls_token')).toBeGreaterThan(sizeOf(model) / 2)
  pixels.dispose()
  model.dispose()
})

test('micro-batches before the last send nothing, and what no process uses costs no further message', async () => {
  await useBackend('native')
  const sent: number[] = []
  const counting: Collectives = {
    ...alone,
    allReduce: async values => void sent.push(values.length),
  }
  const model = new ViTForImageClassification(oneLayer, { seed: 1, useMaskToken: true })
  const parallel = new DataParallel(counting, model.trainableParameters())
  const optimizer = createOptimizer('sgd', model.parameters(), { lr: 0.1 })
  const batch = {
    pixelValues: { data: new Float32Array(6 * 64), shape: [6, 1, 8, 8] as const },
    labels: new Int32Array(6),
  }
  for (const microBatchSize of [6, 2]) {
    sent.length = 0
    await trainStep(model, optimizer, batch as never, { seed: 1, microBatchSize, parallel })
    expect(sent.reduce((sum, length) => sum + length)).toBe(sizeOf(model))
  }
  const pixels = zeros<Rank.R4>([1, 1, 8, 8])
  sent.length = 0
  parallel.noSync(() => model.valueAndGrads(pixels, [0], { onGradient: parallel.sender() }))
  expect(sent).toEqual([])
  const { unused } = await parallel.reduce()
  expect(unused).toEqual([])
  model.dispose()
})

test('parameters that only some of the processes have used are named; one without images uses none', async () => {
  const values = [{ a: 1, b: 2 }, {}, { a: 10 }]
  const settled = await ranks.run(3, 'reduction', rank => values[rank] as Record<string, number>)
  const sums = [
    ['a', [2, 3], 11],
    ['b', [2, 3], 2],
  ]
  for (const result of settled) expect(result).toEqual({ status: 'fulfilled', value: { sums, unused: ['b'] } })
})
