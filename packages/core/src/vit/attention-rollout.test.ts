import { beforeAll, expect, test } from 'bun:test'
import { memory, softmax, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { normalStream } from '../tape/random.ts'
import { attentionRollout } from './attention-rollout.ts'

beforeAll(() => useBackend('cpu'))

const [batch, heads, rows, columns] = [2, 3, 2, 3]
const tokens = 1 + rows * columns

function randomAttention(seed: number): Tensor4D {
  const next = normalStream(seed)
  const scores = Float32Array.from({ length: batch * heads * tokens * tokens }, () => 2 * next())
  return tidy(() => softmax(tensor4d(scores, [batch, heads, tokens, tokens]))) as Tensor4D
}

/** The whole product of all layers, as the article has it. */
function plainRollout(layers: Float32Array[], image: number): number[] {
  let product = Array.from({ length: tokens }, (_, i) => Array.from({ length: tokens }, (_, j) => Number(i === j)))
  for (const layer of layers) {
    const at = (head: number, i: number, j: number) =>
      layer[((image * heads + head) * tokens + i) * tokens + j] as number
    const mixed = product.map((_, i) => {
      const row = product.map((_, j) => (at(0, i, j) + at(1, i, j) + at(2, i, j)) / heads + Number(i === j))
      const sum = row.reduce((a, b) => a + b)
      return row.map(value => value / sum)
    })
    product = mixed.map(row =>
      row.map((_, j) => row.reduce((sum, value, k) => sum + value * (product[k]?.[j] as number), 0)),
    )
  }
  const patches = (product[0] as number[]).slice(1)
  return patches.map(value => value / Math.max(...patches))
}

test.each([1, 2, 4])('attentionRollout is the class token in the product of %i layers', async count => {
  const attentions = Array.from({ length: count }, (_, i) => randomAttention(i))
  const before = memory().numTensors
  const rollout = attentionRollout(attentions, [rows, columns])
  expect(memory().numTensors - before).toBe(1)
  expect(rollout.shape).toEqual([batch, rows, columns])
  const layers = (await Promise.all(attentions.map(attention => attention.data()))) as Float32Array[]
  const expected = Array.from({ length: batch }, (_, image) => plainRollout(layers, image)).flat()
  const values = await rollout.data()
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5)
})

test('attentionRollout begins at the mean of the patches, behind registers', async () => {
  const attention = randomAttention(5)
  const prefix = 3 // of the seven tokens, so that the others are four patches
  const rollout = attentionRollout([attention], [2, 2], { pooling: 'mean', prefix })
  const values = (await attention.data()) as Float32Array
  const share = (image: number, to: number): number => {
    let sum = 0
    for (let head = 0; head < heads; head++)
      for (let from = prefix; from < tokens; from++)
        sum += (values[((image * heads + head) * tokens + from) * tokens + to] as number) / heads / 4
    return (sum + 1 / 4) / 2
  }
  const actual = await rollout.data()
  for (let image = 0; image < batch; image++) {
    const shares = Array.from({ length: 4 }, (_, i) => share(image, prefix + i))
    for (const [i, value] of shares.entries()) expect(actual[image * 4 + i]).toBeCloseTo(value / Math.max(...shares), 5)
  }
})

test('attentionRollout says what is missing', () => {
  expect(() => attentionRollout([], [1, 1])).toThrow('outputAttentions: true')
  expect(() => attentionRollout([randomAttention(0)], [2, 2])).toThrow('a grid of 2×2 patches; the attentions are of 6')
})
