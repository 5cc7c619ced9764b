/** The seeds of dropout and drop path: plain data of the pass's seed, the layer and the place. */
import { expect, test } from 'bun:test'
import { resolveConfig } from './config.ts'
import { embeddingDropout, layerDrops } from './drops.ts'

const config = resolveConfig({ numHiddenLayers: 5, hiddenDropoutProb: 0.1, dropPathRate: 0.4 })

const seedsOf = (layer: number, of = config): number[] => {
  const { attention, afterAttention, afterMlp } = layerDrops(of, 7, layer)
  const branches = [afterAttention, afterMlp].flatMap(({ dropoutSeed, dropPathSeed }) => [dropoutSeed, dropPathSeed])
  return [attention.seed, ...branches]
}

test('layerDrops gives every place of every layer a seed of its own', () => {
  const seeds = [embeddingDropout(config, 7).seed, ...[0, 1, 2, 3, 4].flatMap(layer => seedsOf(layer))]
  expect(new Set(seeds).size).toBe(1 + 5 * 5)
  expect(layerDrops(config, 8, 0).attention.seed).not.toBe(layerDrops(config, 7, 0).attention.seed)
})

test('layerDrops gives a place the same seed whatever else drops, and each time', () => {
  expect(seedsOf(3)).toEqual(seedsOf(3))
  expect(seedsOf(3, { ...config, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0.5 })).toEqual(seedsOf(3))
})

test('layerDrops lets drop path grow with depth, to its rate in the last layer', () => {
  const rates = [0, 1, 2, 3, 4].map(layer => layerDrops(config, 7, layer).afterMlp.dropPathProbability)
  expect(rates).toEqual([0, 0.1, 0.2, (0.4 * 3) / 4, 0.4])
})
