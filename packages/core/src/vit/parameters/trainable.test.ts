/** Parts of a model that train: what has a gradient, what is kept for it, and that the rest stays as it is. */
import { beforeAll, expect, test } from 'bun:test'
import { memory, randomNormal, type Tensor, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { useBackend } from '../../backend.ts'
import { valueAndGrads } from '../../tape/value-and-grads.ts'
import { type ClassifierGradsOptions, ViTForImageClassification } from '../classifier.ts'
import { ViTModel } from '../model.ts'
import type { TrainablePart } from './trainable.ts'

beforeAll(() => useBackend('cpu'))

const config = {
  ...{ hiddenSize: 16, numHiddenLayers: 3, numAttentionHeads: 2, intermediateSize: 32, imageSize: 16, patchSize: 4 },
  ...{ numLabels: 5, hiddenDropoutProb: 0.2, attentionProbsDropoutProb: 0.2, dropPathRate: 0.3 },
}
const labels = [0, 1, 2, 3]
const pixels = () => randomNormal([4, 3, 16, 16], 0, 1, 'float32', 1) as Tensor4D

/** Loss, logits and gradients of a step, as plain numbers. */
const step = (model: ViTForImageClassification, options: ClassifierGradsOptions = {}): Record<string, number[]> =>
  tidy(() => {
    const { loss, logits, grads } = model.valueAndGrads(pixels(), labels, { seed: 5, ...options })
    return Object.fromEntries(
      Object.entries({ loss, logits, ...grads }).map(([name, tensor]) => [name, [...tensor.dataSync()]]),
    ) as never
  })

const parts: TrainablePart[] = ['head', { lastLayers: 1 }, { lastLayers: 2 }]

test.each(parts)('%j: the gradients are those of the whole model, but of the trainable parameters alone', part => {
  const model = new ViTForImageClassification(config)
  const whole = step(model)
  model.setTrainable(part)
  for (const gradientCheckpointing of [false, true]) {
    const some = step(model, { gradientCheckpointing })
    expect(Object.keys(some)).toEqual(['loss', 'logits', ...model.trainableParameters().keys()])
    for (const [name, values] of Object.entries(some)) expect(values).toEqual(whole[name] as number[])
  }
  model.dispose()
})

test('setTrainable knows the head, the last layers with the final norm, and all', () => {
  const model = new ViTForImageClassification(config)
  model.setTrainable('head')
  expect([...model.trainableParameters().keys()]).toEqual(['classifier.weight', 'classifier.bias'])
  expect(model.countParameters().trainable).toBe(16 * 5 + 5)
  model.setTrainable({ lastLayers: 1 })
  const names = [...model.trainableParameters().keys()]
  expect(names.filter(name => !name.startsWith('vit.encoder.layer.2.'))).toEqual([
    'vit.layernorm.weight',
    'vit.layernorm.bias',
    'classifier.weight',
    'classifier.bias',
  ])
  expect(names).toHaveLength(16 + 4)
  model.setTrainable('all')
  expect(model.trainableParameters()).toEqual(model.parameters())
  const { trainable, total } = model.countParameters()
  expect(trainable).toBe(total)
  model.dispose()
})

test('one parameter trains by its flag, and those below it have no gradient', () => {
  const model = new ViTForImageClassification(config)
  const whole = step(model)
  const name = 'vit.encoder.layer.1.attention.attention.key.weight'
  for (const [other, parameter] of model.parameters()) parameter.trainable = other === name
  const { loss, logits, ...grads } = step(model)
  expect(grads).toEqual({ [name]: whole[name] as number[] })
  for (const parameter of model.parameters().values()) parameter.trainable = false
  expect(() => model.valueAndGrads(pixels(), labels)).toThrow('No parameter of the model trains')
  model.dispose()
})

test('onGradient gets each gradient by name as it becomes final, the head first', () => {
  const model = new ViTForImageClassification(config)
  for (const gradientCheckpointing of [false, true]) {
    const seen = new Map<string, number>()
    const onGradient = (name: string, gradient: Tensor) => void seen.set(name, gradient.dataSync()[0] as number)
    const whole = step(model, { gradientCheckpointing, onGradient })
    expect([...seen.keys()].sort()).toEqual([...model.parameters().keys()].sort())
    expect([...seen.keys()][0]).toStartWith('classifier.')
    for (const [name, value] of seen) expect(value).toBe(whole[name]?.[0] as number)
  }
  model.dispose()
})

test('the tape saves nothing below the lowest trainable layer', () => {
  const model = new ViTForImageClassification(config)
  const input = pixels()
  const held = (part: TrainablePart): number =>
    tidy(() => {
      model.setTrainable(part)
      const before = memory().numBytes
      let bytes = 0
      const loss = () => {
        const { loss } = model.forward(input, { training: true, labels })
        bytes = memory().numBytes - before
        return loss as Tensor
      }
      valueAndGrads(loss, [...model.trainableParameters().values()])
      return bytes as never
    })
  const hiddenState = 4 * 4 * (1 + 16) * 16
  expect(held('head')).toBeLessThan(2 * hiddenState) // the last one, its class token, logits
  expect(held({ lastLayers: 1 })).toBeLessThan(0.5 * held('all'))
  model.dispose()
})

test('setTrainable refuses a part that the model does not have', () => {
  const model = new ViTForImageClassification(config)
  for (const lastLayers of [0, 4, 1.5])
    expect(() => model.setTrainable({ lastLayers })).toThrow(
      `lastLayers is ${lastLayers}; expected a whole number from 1 to the model's 3 layers`,
    )
  const bare = new ViTModel(config)
  expect(() => bare.setTrainable('head')).toThrow('the model has no head')
  for (const each of [model, bare]) each.dispose()
})
