import { expect, test } from 'bun:test'
import { namedConfig } from '@vitral/core'
import { forwardFlops, trainingFlops } from './flops.ts'

test('ViT-B/16 at 224 takes 35.1 GFLOP forward, three times that for a training step', () => {
  const config = namedConfig('vit-base-patch16-224', { numLabels: 1000 })
  expect(forwardFlops(config) / 1e9).toBeCloseTo(35.13, 2)
  expect(trainingFlops(config)).toBe(3 * forwardFlops(config))
})

test('every product of a small rectangular model is counted', () => {
  const config = {
    hiddenSize: 4,
    numHiddenLayers: 2,
    intermediateSize: 8,
    imageSize: [4, 6] as const,
    patchSize: 2,
    numChannels: 3,
    numLabels: 5,
  }
  const patches = 6 * 12 * 4 // 6 patches of 12 values to 4
  const layer = 7 * (4 * 16 + 2 * 32) + 2 * 7 * 7 * 4 // 7 tokens: four 4×4 and two 4×8 products; scores and values
  expect(forwardFlops(config)).toBe(2 * (patches + 2 * layer + 4 * 5))
})
