import { beforeAll, describe, expect, test } from 'bun:test'
import { memory, type Tensor, tensor1d, type Variable, variable } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { clipGradNorm, clipGradValue } from './clip-gradients.ts'
import { createOptimizer } from './index.ts'
import { type ParameterGroups, parameterGroups } from './parameter-groups.ts'

beforeAll(async () => {
  await useBackend('cpu')
})

const parametersOf = (values: Record<string, number[]>) =>
  new Map(Object.entries(values).map(([name, list]) => [name, variable(tensor1d(list))]))

describe('createOptimizer', () => {
  test('adam adds the decay to the gradient, adamw takes it from the parameter', () => {
    // First step: m/(1-β1) = g and v/(1-β2) = g², so the change is lr · sign(g), whatever the size of g.
    const options = { lr: 0.1, weightDecay: 0.5 }
    for (const [name, expected] of [
      ['adam', [1.9, -2.1]], // g + 0.5 · p is 2 and 1: both positive
      ['adamw', [2 * 0.95 - 0.1, -2 * 0.95 - 0.1]],
    ] as const) {
      const parameters = parametersOf({ p: [2, -2] })
      createOptimizer(name, parameters, options).step({ p: tensor1d([1, 2]) })
      const values = parameters.get('p')?.dataSync() as Float32Array
      for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5)
    }
  })

  test('sgd follows the momentum, and looks ahead with nesterov', () => {
    for (const [nesterov, expected] of [
      [false, 1 - 0.1 * (1 + 1.9)],
      [true, 1 - 0.1 * (1.9 + (1 + 0.9 * 1.9))],
    ] as const) {
      const parameters = parametersOf({ p: [1] })
      const optimizer = createOptimizer('sgd', parameters, { lr: 0.1, momentum: 0.9, nesterov })
      for (let i = 0; i < 2; i++) optimizer.step({ p: tensor1d([1]) })
      expect(parameters.get('p')?.dataSync()[0]).toBeCloseTo(expected, 5)
    }
  })

  test('a parameter without a gradient stays, and takes its first step when it gets one', () => {
    const parameters = parametersOf({ a: [1], b: [1] })
    const optimizer = createOptimizer('adam', parameters, { lr: 0.1 })
    optimizer.step({ a: tensor1d([1]) })
    expect(parameters.get('b')?.dataSync()[0]).toBe(1)
    optimizer.step({ a: tensor1d([1]), b: tensor1d([3]) })
    // Adam's first step is lr whatever the gradient: b's moments are corrected for one step, not for two.
    expect(parameters.get('b')?.dataSync()[0]).toBeCloseTo(0.9, 5)
    expect(parameters.get('a')?.dataSync()[0]).toBeCloseTo(0.8, 5)
  })

  test('the learning rate can be set before each step', () => {
    const parameters = parametersOf({ p: [1] })
    const optimizer = createOptimizer('sgd', parameters, { lr: 1 })
    optimizer.lr = 0.25
    optimizer.step({ p: tensor1d([2]) })
    expect(parameters.get('p')?.dataSync()[0]).toBe(0.5)
  })

  test('the state goes to another optimizer, which goes on exactly', async () => {
    const gradients = [
      [0.3, -2],
      [1, 0.1],
      [-0.7, 5],
    ].map(values => tensor1d(values))
    const straight = parametersOf({ p: [1, 2] })
    const first = createOptimizer('adamw', straight, { lr: 0.01 })
    for (const p of gradients) first.step({ p })

    const resumed = parametersOf({ p: [1, 2] })
    const before = createOptimizer('adamw', resumed, { lr: 0.01 })
    before.step({ p: gradients[0] as Tensor })
    const after = createOptimizer('adamw', resumed, { lr: 0.01 })
    after.load(await before.state())
    for (const p of gradients.slice(1)) after.step({ p })
    expect(resumed.get('p')?.dataSync()).toEqual(straight.get('p')?.dataSync() as Float32Array)
  })

  test('a state of another shape is refused by name', async () => {
    const small = createOptimizer('adam', parametersOf({ p: [1] }))
    small.step({ p: tensor1d([1]) })
    const state = await small.state()
    const large = createOptimizer('adam', parametersOf({ p: [1, 2] }))
    expect(() => large.load(state)).toThrow("state 'exp_avg.p' has shape [1]; expected [2]")
  })

  test('wrong options and names are errors that say what is right', () => {
    const parameters = parametersOf({ p: [1] })
    const make = (name: string, options: object) => () => createOptimizer(name as 'sgd', parameters, options)
    expect(make('adagrad', {})).toThrow("no optimizer 'adagrad'; expected one of adam, adamw, sgd, lion")
    expect(make('sgd', { betas: [0.9, 0.99] })).toThrow("'sgd' has no option 'betas'; it has lr, weightDecay, momentum")
    expect(make('sgd', { nesterov: true })).toThrow('momentum above 0')
    expect(make('adam', { lr: -1 })).toThrow('lr is -1; expected a number that is 0 or more')
    expect(make('adam', { betas: [1, 0.9] })).toThrow('two numbers from 0 to below 1')
    expect(() => createOptimizer('sgd', parameters).step({ q: tensor1d([1]) })).toThrow("gradient for 'q'")
  })

  test('createOptimizer keeps its state and nothing else, and gives it back', () => {
    const parameters = parametersOf({ p: [1] })
    const p = tensor1d([1])
    const before = memory().numTensors
    const optimizer = createOptimizer('adam', parameters)
    expect(memory().numTensors).toBe(before + 2) // before the first pass, so that activations leave no gaps beside it
    for (let i = 0; i < 3; i++) optimizer.step({ p })
    expect(memory().numTensors).toBe(before + 2)
    optimizer.dispose()
    expect(memory().numTensors).toBe(before)
  })
})

describe('groups', () => {
  test('a parameter that lags behind is stepped once a step', () => {
    const parameters = parametersOf({ early: [0], late: [0] })
    const optimizer = createOptimizer('sgd', parameters, { lr: 1 })
    const one = tensor1d([1])
    optimizer.step({ early: one })
    optimizer.step({ late: one, early: one }) // late's first step has the number that early's had before
    expect([...parameters.values()].map(parameter => parameter.dataSync()[0])).toEqual([-2, -1])
  })

  test('have learning rates and weight decay of their own, through a resume too', async () => {
    const groups: ParameterGroups = name => (name === 'a' ? { lrScale: 0.5 } : { weightDecay: 0 })
    const options = { lr: 0.1, weightDecay: 0.5, groups }
    const [parameters, alone] = [parametersOf({ a: [1], b: [1] }), parametersOf({ a: [1], b: [1] })]
    const before = createOptimizer('adamw', parameters, options)
    const expected = {
      a: createOptimizer('adamw', alone, { lr: 0.05, weightDecay: 0.5 }),
      b: createOptimizer('adamw', alone, { lr: 0.1, weightDecay: 0 }),
    }
    const grads = [0.3, -2].map(value => tensor1d([value])) as [Tensor, Tensor]
    before.step({ a: grads[0], b: grads[0] })
    const after = createOptimizer('adamw', parameters, options)
    after.load(await before.state())
    after.step({ a: grads[1], b: grads[1] })
    for (const gradient of grads) {
      expected.a.step({ a: gradient })
      expected.b.step({ b: gradient })
    }
    for (const [name, parameter] of parameters)
      expect(parameter.dataSync()).toEqual(alone.get(name)?.dataSync() as Float32Array)
  })

  test('groups of a ViT: no decay on what has one dimension or is a token, and rates that shrink towards the images', () => {
    const model = new ViTForImageClassification({
      ...{ imageSize: 8, patchSize: 4, hiddenSize: 8, numHiddenLayers: 2, numAttentionHeads: 2, numLabels: 2 },
    })
    const groups = parameterGroups(2, { noDecay: true, layerDecay: 0.5 })
    const settings = Object.fromEntries([...model.parameters()].map(([name, p]) => [name, groups(name, p)]))
    expect(settings['vit.embeddings.cls_token']).toEqual({ lrScale: 0.125, weightDecay: 0 })
    expect(settings['vit.embeddings.position_embeddings']).toEqual({ lrScale: 0.125, weightDecay: 0 })
    expect(settings['vit.embeddings.patch_embeddings.projection.weight']).toEqual({ lrScale: 0.125 })
    expect(settings['vit.encoder.layer.0.intermediate.dense.weight']).toEqual({ lrScale: 0.25 })
    expect(settings['vit.encoder.layer.1.layernorm_after.weight']).toEqual({ lrScale: 0.5, weightDecay: 0 })
    expect(settings['vit.layernorm.bias']).toEqual({ lrScale: 1, weightDecay: 0 })
    expect(settings['classifier.weight']).toEqual({ lrScale: 1 })
    expect(
      Object.values(parameterGroups(2, {})('classifier.bias', model.parameters().get('classifier.bias') as Variable)),
    ).toEqual([1])
    expect(() => parameterGroups(2, { layerDecay: 0 })).toThrow('layerDecay is 0; expected a number above 0')
    model.dispose()
  })

  test('a setting that is no number is refused by name', () => {
    const make = () => createOptimizer('sgd', parametersOf({ p: [1] }), { groups: () => ({ lrScale: -1 }) })
    expect(make).toThrow("The groups give 'p' the lrScale -1; expected")
  })
})

describe('clipGradValue', () => {
  test('cuts what is larger, after the norm', async () => {
    const parameters = parametersOf({ a: [0, 0, 0] })
    const grads = { a: tensor1d([30, -40, 0.5]) }
    const clip = clipGradValue(3.5, await clipGradNorm(grads, 5)) // → 3, −4, 0.05 → 3, −3.5, 0.05
    createOptimizer('sgd', parameters, { lr: 1 }).step(grads, clip)
    const [a, b, c] = (parameters.get('a') as Variable).dataSync()
    expect(a).toBeCloseTo(-3, 2)
    expect(b).toBe(3.5)
    expect(c).toBeCloseTo(-0.05, 3)
    await expect(clipGradNorm(grads, 1, clip)).rejects.toThrow('clipped by value already; clip by the norm first')
    expect(() => clipGradValue(0)).toThrow('max is 0; expected a number above 0')
  })
})

describe('clipGradNorm', () => {
  test('returns the norm before clipping, and the step sees the clipped gradient', async () => {
    const parameters = parametersOf({ a: [0], b: [0] })
    const grads = { a: tensor1d([3]), b: tensor1d([4]) }
    const clip = await clipGradNorm(grads, 1)
    expect(clip.norm).toBeCloseTo(5, 5)
    createOptimizer('sgd', parameters, { lr: 1 }).step(grads, clip)
    expect([...grads.a.dataSync(), ...grads.b.dataSync()]).toEqual([3, 4])
    expect(parameters.get('a')?.dataSync()[0]).toBeCloseTo(-0.6, 5)
    expect(parameters.get('b')?.dataSync()[0]).toBeCloseTo(-0.8, 5)
  })

  test('clips a copy of the gradients as the gradients themselves', async () => {
    const grads = { a: tensor1d([3]), b: tensor1d([4]) }
    const clip = await clipGradNorm(grads, 1)
    const [itself, copied] = [grads, { ...grads }].map(given => {
      const parameters = parametersOf({ a: [0], b: [0] })
      createOptimizer('sgd', parameters, { lr: 1 }).step(given, clip)
      return [...parameters.values()].map(parameter => parameter.dataSync()[0])
    })
    expect(copied).toEqual(itself as number[])
    expect(copied?.[0]).toBeCloseTo(-0.6, 5)
  })

  test('leaves smaller gradients alone', async () => {
    const parameters = parametersOf({ a: [0] })
    for (const [max, expected] of [
      [10, -3],
      [1.5, -4.5],
    ] as const) {
      const grads = { a: tensor1d([3]) }
      createOptimizer('sgd', parameters, { lr: 1 }).step(grads, await clipGradNorm(grads, max))
      expect(parameters.get('a')?.dataSync()[0]).toBeCloseTo(expected, 4)
    }
  })

  test('clipping twice clips what the first left', async () => {
    const grads = { a: tensor1d([8]) }
    const clip = await clipGradNorm(grads, 2, await clipGradNorm(grads, 4))
    expect(clip.norm).toBeCloseTo(4, 4)
    const parameters = parametersOf({ a: [0] })
    createOptimizer('sgd', parameters, { lr: 1 }).step(grads, clip)
    expect(parameters.get('a')?.dataSync()[0]).toBeCloseTo(-2, 4)
  })

  test('a norm that is not positive is refused', async () => {
    await expect(clipGradNorm({ a: tensor1d([1]) }, 0)).rejects.toThrow('max is 0; expected a number above 0')
  })
})
