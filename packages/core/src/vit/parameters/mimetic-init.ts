/** Initial values with what trained ViTs are found to have in common: a small model learns far faster from them. */
import { deriveSeed, normalStream } from '../../tape/random.ts'
import { numPositionedPrefix } from '../architecture.ts'
import { patchGrid, resolveConfig, type ViTConfigOptions } from '../config.ts'

/** The paper's shares of noise and of the identity in the products of weights. */
const attending = { identity: 0.7, noise: 0.7 }
const mixing = { identity: -0.4, noise: 0.4 }

/**
 * Mimetic values for attention and positions: each head begins by attending to tokens like its own and those near by.
 * The positions are sines and cosines of rows and columns; query·key is near the identity in each head's part of the
 * space, and projection·value near −0.4 of the identity, both with noise.
 *
 * Source: Trockman and Kolter 2023, Mimetic Initialization of Self-Attention Layers, with its numbers. There the factors
 * of the products come from singular values; here they are random orthogonal vectors, which need no decomposition.
 *
 * @returns by HF name of a classifier, for `values` of a new model; what is absent is made as ever
 * @throws when the configuration is not valid, hiddenSize no multiple of 4, or the positions are of other tokens
 * @example
 * const model = new ViTForImageClassification(config, { seed: 1, values: mimeticValues(config, { seed: 1 }) })
 */
export function mimeticValues(options: ViTConfigOptions, { seed }: { seed: number }): Map<string, Float32Array> {
  const { hiddenSize, numHiddenLayers, numAttentionHeads, imageSize, patchSize, ...config } = resolveConfig(options)
  if (config.positionedTokens !== 'all' || numPositionedPrefix(config) !== 1)
    throw new Error(
      `Mimetic values are of positions of a class token and patches; a model of type '${config.modelType}' has others.`,
    )
  if (hiddenSize % 4 !== 0)
    throw new Error(`Mimetic values need a hiddenSize that is a multiple of 4; it is ${hiddenSize}.`)
  const [rows, columns] = patchGrid(imageSize, patchSize)
  const values = new Map([['vit.embeddings.position_embeddings', sinusoidalPositions(rows, columns, hiddenSize)]])
  for (let i = 0; i < numHiddenLayers; i++) {
    const attention = `vit.encoder.layer.${i}.attention`
    const next = normalStream(deriveSeed(seed, i))
    const { query, key } = nearIdentity(hiddenSize, numAttentionHeads, next)
    const { value, projection } = nearNegative(hiddenSize, next)
    values.set(`${attention}.attention.query.weight`, query)
    values.set(`${attention}.attention.key.weight`, key)
    values.set(`${attention}.attention.value.weight`, value)
    values.set(`${attention}.output.dense.weight`, projection)
  }
  return values
}

/** [1 + rows · columns, C]: zeros for the class token, then a quarter each of sin x, cos x, sin y and cos y. */
function sinusoidalPositions(rows: number, columns: number, hiddenSize: number): Float32Array {
  const quarter = hiddenSize / 4
  const positions = new Float32Array((1 + rows * columns) * hiddenSize)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      for (let i = 0; i < quarter; i++) {
        const at = (1 + y * columns + x) * hiddenSize + i
        const frequency = 10000 ** (-i / quarter)
        positions[at] = Math.sin(x * frequency)
        positions[at + quarter] = Math.cos(x * frequency)
        positions[at + 2 * quarter] = Math.sin(y * frequency)
        positions[at + 3 * quarter] = Math.cos(y * frequency)
      }
  return positions
}

/** The same orthogonal vectors for a head's query and key, plus separate noise: queryᵀ·key is near the identity there. */
function nearIdentity(size: number, heads: number, next: () => number): Record<'query' | 'key', Float32Array> {
  const [query, key] = [new Float32Array(size * size), new Float32Array(size * size)]
  const headSize = size / heads
  const scale = Math.sqrt(attending.identity)
  // Each factor has half of the product's noise.
  const deviation = attending.noise / scale / Math.sqrt(2 * size)
  for (let head = 0; head < heads; head++) {
    const vectors = orthogonalVectors(headSize, size, next)
    for (let i = 0; i < headSize * size; i++) {
      query[head * headSize * size + i] = scale * (vectors[i] as number) + deviation * next()
      key[head * headSize * size + i] = scale * (vectors[i] as number) + deviation * next()
    }
  }
  return { query, key }
}

/** projection·value is a negative share of the identity, and noise. */
function nearNegative(size: number, next: () => number): Record<'value' | 'projection', Float32Array> {
  const [value, projection] = [new Float32Array(size * size), new Float32Array(size * size)]
  const vectors = orthogonalVectors(size, size, next)
  const scale = Math.sqrt(-mixing.identity)
  const deviation = mixing.noise / scale / Math.sqrt(size)
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const component = vectors[row * size + column] as number
      value[row * size + column] = scale * component
      projection[column * size + row] = -scale * component + deviation * next()
    }
  return { value, projection }
}

/** Random vectors of length one at right angles, [count, size]; Gram and Schmidt's, done twice for the rounding. */
function orthogonalVectors(count: number, size: number, next: () => number): Float64Array {
  const vectors = new Float64Array(count * size)
  for (let row = 0; row < count; row++) {
    const own = vectors.subarray(row * size, (row + 1) * size)
    for (let i = 0; i < size; i++) own[i] = next()
    for (let pass = 0; pass < 2; pass++)
      for (let other = 0; other < row; other++) {
        const before = vectors.subarray(other * size, (other + 1) * size)
        const along = before.reduce((sum, component, i) => sum + component * (own[i] as number), 0)
        for (let i = 0; i < size; i++) own[i] = (own[i] as number) - along * (before[i] as number)
      }
    const length = Math.sqrt(own.reduce((sum, component) => sum + component * component, 0))
    for (let i = 0; i < size; i++) own[i] = (own[i] as number) / length
  }
  return vectors
}
