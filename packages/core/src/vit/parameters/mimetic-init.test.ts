import { beforeAll, expect, test } from 'bun:test'
import { useBackend } from '../../backend.ts'
import { ViTForImageClassification } from '../classifier.ts'
import { namedConfig } from '../pretrained/named-configs.ts'
import { mimeticValues } from './mimetic-init.ts'

beforeAll(() => useBackend('cpu'))

const config = namedConfig('vit-micro-patch4-32', { numLabels: 10, numHiddenLayers: 2 })
const C = 128
const values = mimeticValues(config, { seed: 3 })
const of = (name: string): Float32Array => values.get(`vit.encoder.layer.1.attention.${name}.weight`) as Float32Array

/** Mean of the diagonal, and the deviation of all else, of aᵀ·b over the given rows of a and b [rows, C]. */
function describe(a: Float32Array, b: (row: number, column: number) => number, rows: number[]): [number, number] {
  let [diagonal, squares] = [0, 0]
  for (let i = 0; i < C; i++)
    for (let j = 0; j < C; j++) {
      const product = rows.reduce((sum, row) => sum + (a[row * C + i] as number) * b(row, j), 0)
      if (i === j) diagonal += product / C
      else squares += product ** 2 / (C * (C - 1))
    }
  return [diagonal, Math.sqrt(squares)]
}

test('query·key is near the identity in the part of the space that a head sees', () => {
  const [query, key] = [of('attention.query'), of('attention.key')]
  const head = Array.from({ length: 32 }, (_, i) => 32 + i)
  const [diagonal] = describe(query, (row, j) => key[row * C + j] as number, head)
  expect(Math.abs(diagonal - 0.7 / 4)).toBeLessThan(0.03) // a head has a quarter of the dimensions
  expect(query).not.toEqual(key)
})

test('projection·value is −0.4 of the identity, with noise of the same size', () => {
  const [value, projection] = [of('attention.value'), of('output.dense')]
  const all = Array.from({ length: C }, (_, i) => i)
  const [diagonal, noise] = describe(value, (row, j) => projection[j * C + row] as number, all)
  expect(Math.abs(diagonal + 0.4)).toBeLessThan(0.02)
  expect(Math.abs(noise * Math.sqrt(C) - 0.4)).toBeLessThan(0.02)
})

test('positions near by are alike, and a model takes the values', async () => {
  const positions = values.get('vit.embeddings.position_embeddings') as Float32Array
  expect([...positions.subarray(0, C)]).toEqual(new Array(C).fill(0))
  const alike = (a: number, b: number): number =>
    positions.subarray(a * C, (a + 1) * C).reduce((sum, x, i) => sum + x * (positions[b * C + i] as number), 0)
  const middle = 1 + 4 * 8 + 4
  expect(alike(middle, middle + 1)).toBeGreaterThan(alike(middle, middle + 3))
  expect(alike(middle, middle + 8)).toBeGreaterThan(alike(middle, middle + 24))
  const model = new ViTForImageClassification(config, { seed: 1, values })
  for (const [name, expected] of values) expect(await model.parameters().get(name)?.data()).toEqual(expected)
})

test('mimeticValues repeats with the seed, and refuses a size without quarters', () => {
  expect(mimeticValues(config, { seed: 3 })).toEqual(values)
  expect(mimeticValues(config, { seed: 4 })).not.toEqual(values)
  const odd = { ...config, hiddenSize: 6, numAttentionHeads: 2 }
  expect(() => mimeticValues(odd, { seed: 0 })).toThrow('a hiddenSize that is a multiple of 4; it is 6.')
  expect(() => mimeticValues({ ...config, classToken: false, pooling: 'mean' }, { seed: 0 })).toThrow(
    "a model of type 'vit' has others",
  )
})
