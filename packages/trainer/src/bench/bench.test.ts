/** What `vitral bench` counts and adds up. */
import { describe, expect, test } from 'bun:test'
import { getKernelsForBackend, memory } from '@tensorflow/tfjs-core'
import { namedConfig, useBackend, ViTForImageClassification } from '@vitral/core'
import { isFusion } from '@vitral/core/tape'
import { forwardFlops, trainingFlops } from '@vitral/core/vit'
import { measure, profile } from './measure.ts'
import { costOf, isCosted } from './op-costs.ts'
import { BETWEEN, profileRows, profileTable } from './profile-table.ts'

const native = await useBackend('native').then(
  () => true,
  (error: Error) => console.log(`Costs of the native kernels are skipped: ${error.message}`) as undefined,
)

const configs = {
  'vit-micro-patch4-32': namedConfig('vit-micro-patch4-32'),
  'a rectangle without qkv bias': {
    ...namedConfig('vit-micro-patch4-32', { numLabels: 7 }),
    ...{ imageSize: [16, 24] as const, patchSize: [4, 8] as const, qkvBias: false },
  },
}

describe.skipIf(!native)('costs', () => {
  test('every kernel of the op interface has its costs', async () => {
    await useBackend('native')
    const kernels = getKernelsForBackend('native').map(({ kernelName }) => kernelName)
    const ours = kernels.filter(name => name.startsWith('Vitral') && !isFusion(name))
    expect(ours.length).toBeGreaterThan(25)
    expect(ours.filter(name => !isCosted(name))).toEqual([])
  })

  test.each(Object.keys(configs))(
    '%s: the kernels of a pass and of a step have the operations of the model',
    async name => {
      const config = configs[name as keyof typeof configs]
      const createModel = async () => new ViTForImageClassification(config)
      const before = await useBackend('native').then(() => memory().numTensors)
      const common = { createModel, backend: 'native', batch: 2, precision: 'float32', rounds: 1 } as const
      const flopsOf = async (train: boolean) => {
        const { calls } = await profile({ ...common, train })
        return calls.reduce((sum, call) => sum + costOf(call).flops, 0)
      }
      expect(await flopsOf(false)).toBe(2 * forwardFlops(config))
      // The backward pass computes attention's scores once more; no gradient is wanted of the pixels.
      const { hiddenSize, numHiddenLayers, imageSize, patchSize, numChannels } = config
      const [height, width, patchHeight, patchWidth] = [imageSize, patchSize].flatMap(size =>
        typeof size === 'number' ? [size, size] : [...size],
      ) as [number, number, number, number]
      const patches = (height / patchHeight) * (width / patchWidth)
      const tokens = patches + 1
      const scores = 2 * (numHiddenLayers - 1) * tokens * tokens * hiddenSize // of the last layer they are kept
      const pixels = 2 * patches * hiddenSize * numChannels * patchHeight * patchWidth
      expect(await flopsOf(true)).toBe(2 * (trainingFlops(config) + scores - pixels))
      expect(memory().numTensors).toBe(before)
    },
  )

  test('bytes are those that are stored: half of them, of what bfloat16 keeps', async () => {
    const createModel = async () => new ViTForImageClassification(configs['vit-micro-patch4-32'])
    const bytesOf = async (precision: 'float32' | 'bfloat16', kernel: string) => {
      const { calls } = await profile({ createModel, backend: 'native', batch: 1, train: false, precision, rounds: 1 })
      return calls.filter(call => call.kernel === kernel).reduce((sum, call) => sum + call.bytes, 0)
    }
    expect(await bytesOf('bfloat16', 'VitralAttention')).toBe((await bytesOf('float32', 'VitralAttention')) / 2)
    expect(await bytesOf('bfloat16', 'VitralPatchEmbed')).toBe(await bytesOf('float32', 'VitralPatchEmbed'))
  })

  test('kernels are as they were after a profile', async () => {
    await useBackend('native')
    const before = getKernelsForBackend('native')
    const createModel = async () => new ViTForImageClassification(configs['vit-micro-patch4-32'])
    await profile({ createModel, backend: 'native', batch: 1, train: false, precision: 'float32', rounds: 1 })
    expect(new Set(getKernelsForBackend('native'))).toEqual(new Set(before))
  })
})

test('rows are sorted by time, are per round, and end with what is between kernels', () => {
  const call = { inputs: { x: [2, 4], weight: [3, 4] }, outputs: [[2, 3]], attributes: {}, bytes: 104 }
  const calls = [
    { kernel: 'VitralLinear', milliseconds: 2, ...call },
    { kernel: 'Add', milliseconds: 5, inputs: { a: [10], b: [10] }, outputs: [[10]], attributes: {}, bytes: 120 },
    { kernel: 'VitralLinear', milliseconds: 2, ...call },
  ]
  const rows = profileRows(calls, 10, 2)
  expect(rows).toEqual([
    { kernel: 'Add', calls: 0.5, milliseconds: 2.5, share: 0.5, gflops: 0, gbytes: 120 / 5e6 },
    { kernel: 'VitralLinear', calls: 1, milliseconds: 2, share: 0.4, gflops: 96 / 4e6, gbytes: 208 / 4e6 },
    { kernel: BETWEEN, calls: 0, milliseconds: 0.5, share: expect.closeTo(0.1), gflops: 0, gbytes: 0 },
  ])
  expect(profileTable(rows).split('\n')[2]).toMatch(/^Linear {10,}1 {2,}2\.00 {2,}40\.0%/)
})

test('backends are measured in turns, as ratios to the first', async () => {
  const createModel = async () =>
    new ViTForImageClassification({ ...configs['vit-micro-patch4-32'], numHiddenLayers: 1 })
  const rounds: string[] = []
  const results = await measure({
    ...{ createModel, backends: ['cpu', 'cpu'], batch: 1, train: false, precision: 'float32', rounds: 2 },
    onRound: (backend, round) => rounds.push(`${backend} ${round}`),
  })
  expect(rounds).toEqual(['cpu 1', 'cpu 1', 'cpu 2', 'cpu 2'])
  expect(results.map(({ backend, times }) => [backend, times.length])).toEqual([
    ['cpu', 2],
    ['cpu', 2],
  ])
  expect(results[0]?.ratio).toBe(1)
})
