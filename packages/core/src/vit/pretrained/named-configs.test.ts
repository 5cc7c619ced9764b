import { expect, test } from 'bun:test'
import { resolveConfig } from '../config.ts'
import { parameterShapes } from '../parameters/parameters.ts'
import { configNames, namedConfig } from './named-configs.ts'

const count = (name: string, numLabels: number): number => {
  const shapes = parameterShapes(namedConfig(name, { numLabels }), {
    prefix: 'vit.',
    classifier: true,
    maskToken: false,
    pooler: false,
    projection: false,
  })
  return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

test("the papers' models have the papers' parameters", () => {
  // timm's counts for 1,000 classes.
  expect(count('vit-tiny-patch16-224', 1000)).toBe(5_717_416)
  expect(count('vit-small-patch16-224', 1000)).toBe(22_050_664)
  expect(count('vit-base-patch16-224', 1000)).toBe(86_567_656)
  expect(count('vit-base-patch32-224', 1000)).toBe(88_224_232)
  expect(count('vit-large-patch16-224', 1000)).toBe(304_326_632)
  expect(count('vit-huge-patch14-224', 1000)).toBe(632_045_800)
})

test('every name gives a valid configuration', () => {
  for (const name of configNames) expect(namedConfig(name).hiddenSize).toBeGreaterThan(0)
  expect(configNames).toContain('vit-micro-patch4-32')
  expect(() => namedConfig('vit-giant')).toThrow("There is no configuration 'vit-giant'; there are vit-micro-patch2-32")
})

test('a configuration that cannot be is refused by its field', () => {
  const refused = (options: object, message: string) => expect(() => resolveConfig(options)).toThrow(message)
  refused({ hiddenSize: 0 }, 'hiddenSize is 0; expected a positive whole number')
  refused(
    { hiddenSize: 100, numAttentionHeads: 12 },
    'hiddenSize is 100; expected a multiple of numAttentionHeads (12)',
  )
  refused({ imageSize: [16, 15] }, 'imageSize is [16,15]; expected at least one patch (patchSize is 16)')
  refused({ hiddenDropoutProb: 1 }, 'hiddenDropoutProb is 1; expected a probability')
  refused({ numLabels: 3, id2label: { 0: 'a' } }, 'numLabels is 3; expected 1')
  refused({ layerNormEps: -1 }, 'layerNormEps is -1')
  refused({ layerNormEps: Infinity }, 'layerNormEps is Infinity; expected a number that is not negative')
  refused({ initializerRange: 1e300 }, 'initializerRange is 1e+300; expected a positive number')
  refused({ qkScale: 0 }, 'qkScale is 0; expected a number other than 0, or null')
  refused(
    { hiddenSize: 2 ** 53 },
    'hiddenSize is 9007199254740992; expected a positive whole number, at most 2147483647',
  )
  refused({ numLabels: 1e7 }, 'numLabels is 10000000; expected a whole number, 0 or more and at most 1048576')
  refused({ numHiddenLayers: Infinity }, 'numHiddenLayers is Infinity; expected a whole number')
  refused({ numHiddenLayers: 1e6 }, 'asks for parameters of 28368 GB (hiddenSize 768, numHiddenLayers 1000000)')
  refused({ numHiddenLayers: 1e9, hiddenSize: 1, numAttentionHeads: 1, intermediateSize: 1 }, 'asks for parameters of')
  refused({ imageSize: 2 ** 30 }, 'numbers in the position embeddings; expected fewer than 2^31')
  refused({ hiddenAct: 'mish' }, 'hiddenAct is "mish"; expected gelu, gelu_tanh, quick_gelu, silu or relu')
})
