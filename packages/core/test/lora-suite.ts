/** What low-rank adapters compute, and their gradients, on a small model: one suite that each backend's test runs. */
import { add, clone, memory, mul, randomNormal, type Tensor4D, type Variable } from '@tensorflow/tfjs-core'
import { type AdapterOptions, type ClassifierForwardOptions, ViTForImageClassification } from '@vitral/core'

const config = {
  ...{ hiddenSize: 20, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 36, imageSize: 16, patchSize: 4 },
  ...{ numLabels: 5, initializerRange: 0.2, hiddenDropoutProb: 0.1 },
}
const lora: AdapterOptions = {
  rank: 3,
  alpha: 5,
  targets: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
}
const labels = [0, 1, 2, 3]

type Values = Float32Array
/** Row-major, with the length of a row. */
type Matrix = { values: Values | Float64Array; columns: number }

/** Pixels for four images. */
export const loraPixels = (): Tensor4D => randomNormal([4, 3, 16, 16], 0, 1, 'float32', 1) as Tensor4D

/** A small model whose adapters have values in both parts, as after training. */
export function adaptedModel(options: AdapterOptions = lora): ViTForImageClassification {
  const model = new ViTForImageClassification(config)
  model.addAdapters(options)
  let seed = 0
  for (const [name, parameter] of model.parameters()) {
    if (!name.includes('.lora_B.')) continue
    const values = randomNormal(parameter.shape, 0, 0.2, 'float32', ++seed)
    parameter.assign(values)
    values.dispose()
  }
  return model
}

export async function logitsOf(model: ViTForImageClassification): Promise<Values> {
  const pixels = loraPixels()
  const { logits } = model.forward(pixels)
  const values = (await logits.data()) as Values
  for (const tensor of [pixels, logits]) tensor.dispose()
  return values
}

/** Registers the tests. */
export function loraSuite(test: (name: string, run: () => Promise<void>) => void): void {
  const step = async (
    model: ViTForImageClassification,
    options: ClassifierForwardOptions = {},
  ): Promise<Map<string, Values>> => {
    const pixels = loraPixels()
    const { loss, logits, grads } = model.valueAndGrads(pixels, labels, { seed: 5, ...options })
    const result = new Map<string, Values>()
    for (const [name, tensor] of Object.entries({ loss, logits, ...grads }))
      result.set(name, (await tensor.data()) as Values)
    for (const tensor of [pixels, loss, logits, ...Object.values(grads)]) tensor.dispose()
    return result
  }

  test('fresh adapters change no bit of the logits', async () => {
    const model = new ViTForImageClassification(config)
    const [plain, trained] = [await logitsOf(model), await step(model)]
    model.addAdapters(lora)
    expectSame(await logitsOf(model), plain, 'logits')
    expectSame((await step(model)).get('logits') as Values, trained.get('logits') as Values, 'logits in training')
    model.dispose()
  })

  test('merged and unmerged, the logits have the same bits', async () => {
    const model = adaptedModel()
    const before = await logitsOf(model)
    const names = [...model.parameters().keys()]
    model.mergeAdapters()
    expectSame(await logitsOf(model), before, 'logits')
    const left = [...model.parameters().keys()]
    if (left.join() !== names.filter(name => !name.includes('lora_')).join()) throw new Error(`left are ${left}`)
    model.dispose()
  })

  test('the gradients of A and B are those of the whole weight, through B and A in float64', async () => {
    const model = adaptedModel()
    const grads = await step(model)
    const values = new Map<string, Values>()
    for (const [name, parameter] of model.parameters()) values.set(name, (await parameter.data()) as Values)
    model.mergeAdapters()
    model.setTrainable('all')
    const whole = await step(model)
    let compared = 0
    for (const [name, { shape }] of model.parameters()) {
      const layer = name.replace(/weight$/, '')
      const [loraA, loraB] = [`${layer}lora_A.weight`, `${layer}lora_B.weight`]
      if (!values.has(loraA)) continue
      const [out, input] = shape as [number, number]
      const dW = { values: whole.get(name) as Values, columns: input }
      const A = { values: values.get(loraA) as Values, columns: input }
      const B = { values: values.get(loraB) as Values, columns: 3 }
      expectClose(grads.get(loraA) as Values, product(transposed(B), dW, 5 / 3), loraA)
      expectClose(grads.get(loraB) as Values, product(dW, transposed(A), 5 / 3), loraB)
      if (B.values.length !== 3 * out) throw new Error(`${loraB} has ${B.values.length} values`)
      compared++
    }
    if (compared !== 2 * 6) throw new Error(`${compared} adapters were compared`)
    const others = [...grads.keys()].filter(name => !name.includes('lora_')).join()
    if (others !== 'loss,logits,classifier.weight,classifier.bias') throw new Error(`there are gradients of ${others}`)
    model.dispose()
  })

  test('the gradients are the slopes of the loss', async () => {
    const model = adaptedModel()
    const grads = await step(model)
    const names = [...grads.keys()].filter(name => name.includes('lora_')).filter((_, i) => i % 3 === 0) // A and B
    for (const [i, name] of names.entries()) {
      const parameter = model.parameters().get(name) as Variable
      const direction = randomNormal(parameter.shape, 0, 1, 'float32', i + 1)
      const along = (await direction.data()) as Values
      const start = clone(parameter)
      const lossAt = async (distance: number): Promise<number> => {
        const scaled = mul(direction, distance)
        const moved = add(start, scaled)
        parameter.assign(moved)
        for (const tensor of [scaled, moved]) tensor.dispose()
        return (await step(model)).get('loss')?.[0] as number
      }
      const width = 4e-3
      const slope = ((await lossAt(width)) - (await lossAt(-width))) / (2 * width)
      const grad = grads.get(name) as Values
      const expected = grad.reduce((sum, value, j) => sum + value * (along[j] as number), 0)
      // float32 losses near 2, some 1e-7 apart, over a width of 8e-3
      if (Math.abs(slope - expected) > 2e-3 * Math.max(1, Math.abs(expected)))
        throw new Error(`${name}: the slope is ${slope}, the gradient says ${expected}`)
      parameter.assign(start)
      for (const tensor of [direction, start]) tensor.dispose()
    }
    model.dispose()
  })

  test('with checkpointing the bits are the same, and no tensor is left behind', async () => {
    const model = adaptedModel()
    const before = memory().numTensors
    const [kept, again] = [await step(model), await step(model, { gradientCheckpointing: true })]
    for (const [name, values] of kept) expectSame(again.get(name) as Values, values, name)
    if (kept.size !== again.size) throw new Error(`${again.size} gradients instead of ${kept.size}`)
    await logitsOf(model)
    if (memory().numTensors !== before) throw new Error(`${memory().numTensors - before} tensors are left`)
    model.dispose()
  })
}

function transposed({ values, columns }: Matrix): Matrix {
  const rows = values.length / columns
  const result = new Float64Array(values.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j] as number
  return { values: result, columns: rows }
}

function product(left: Matrix, right: Matrix, scale: number): Float64Array {
  const rows = left.values.length / left.columns
  const result = new Float64Array(rows * right.columns)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < left.columns; k++)
      for (let j = 0; j < right.columns; j++)
        result[i * right.columns + j] =
          (result[i * right.columns + j] as number) +
          scale * (left.values[i * left.columns + k] as number) * (right.values[k * right.columns + j] as number)
  return result
}

function expectSame(values: Values, expected: Values, name: string): void {
  const differing = expected.findIndex((value, i) => values[i] !== value)
  if (differing >= 0 || values.length !== expected.length)
    throw new Error(`${name}[${differing}] is ${values[differing]}, not ${expected[differing]}`)
}

function expectClose(values: Values, expected: Float64Array, name: string): void {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  const error = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - (values[i] as number))), 0)
  if (!(error <= 1e-5 * largest) || values.length !== expected.length)
    throw new Error(`${name} is off by ${error}; its largest value is ${largest}`)
}
