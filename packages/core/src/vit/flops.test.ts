import { expect, test } from 'bun:test'
import { namedConfig } from '@vitral/core'
import { forwardFlops, trainingFlops } from './flops.ts'

test('the logits of ViT-B/16 at 224 take 32.2 GFLOP, a training step three times that', () => {
  const config = namedConfig('vit-base-patch16-224', { numLabels: 1000 })
  expect(forwardFlops(config) / 1e9).toBeCloseTo(32.24, 2)
  expect(trainingFlops(config)).toBe(3 * forwardFlops(config))
})

test('forwardFlops counts every product of a small rectangular model', () => {
  const config = {
    hiddenSize: 4,
    numHiddenLayers: 2,
    numAttentionHeads: 2,
    intermediateSize: 8,
    imageSize: [4, 6] as const,
    patchSize: 2,
    numChannels: 3,
    numLabels: 5,
  }
  const patches = 6 * 12 * 4 // 6 patches of 12 values to 4
  const others = 16 + 2 * 32 // per token: a 4×4 and two 4×8 products
  const first = 7 * (3 * 16 + 2 * 7 * 4 + others) // 7 tokens: three 4×4 products, scores and values
  const last = 3 * 16 + 2 * (2 * 7 * 4) + others // the class token's, with the width of a token for each of 2 heads
  expect(forwardFlops(config)).toBe(2 * (patches + first + last + 4 * 5))
  expect(forwardFlops({ ...config, numHiddenLayers: 0 })).toBe(2 * (patches + 4 * 5))
})

test('forwardFlops counts the tokens, the gate and the head of other models', () => {
  const size = {
    hiddenSize: 4,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 8,
    imageSize: 4,
    patchSize: 2,
  }
  const config = { ...size, numChannels: 3, numLabels: 5 }
  const layer = (tokens: number, products: number) => tokens * (4 * 16 + products * 32 + 2 * tokens * 4)
  const patches = 4 * 12 * 4
  expect(forwardFlops({ ...config, headInput: 'class-and-mean' })).toBe(2 * (patches + layer(5, 2) + 8 * 5))
  expect(forwardFlops({ ...config, headInput: 'mean', numRegisterTokens: 3, gatedMlp: true })).toBe(
    2 * (patches + layer(8, 3) + 4 * 5),
  )
})
