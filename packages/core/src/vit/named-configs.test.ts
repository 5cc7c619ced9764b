import { expect, test } from 'bun:test'
import { resolveConfig } from './config.ts'
import { configNames, namedConfig } from './named-configs.ts'
import { parameterShapes } from './parameters.ts'

const count = (name: string, numLabels: number): number => {
  const shapes = parameterShapes(namedConfig(name, { numLabels }), {
    prefix: 'vit.',
    classifier: true,
    maskToken: false,
    pooler: false,
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
  refused({ patchSize: [16, 15] }, 'imageSize is 224; expected a multiple of patchSize (16,15)')
  refused({ hiddenDropoutProb: 1 }, 'hiddenDropoutProb is 1; expected a probability')
  refused({ numLabels: 3, id2label: { 0: 'a' } }, 'numLabels is 3; expected 1')
  refused({ layerNormEps: -1 }, 'layerNormEps is -1')
  refused({ hiddenAct: 'relu' }, 'hiddenAct is "relu"; expected \'gelu\'')
})
