import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { loadAddon } from './addon.ts'

const addon = loadAddon()
const floats = (n: number) => new Float32Array(n)

test('the addon refuses what does not fit, naming it', () => {
  const gelu = (size: number, x: Float32Array, output: Float32Array) => () => addon.gelu({ size, x, output })
  expect(gelu(4, floats(4), floats(3))).toThrow('gelu: output has 3 elements; expected 4')
  expect(gelu(1.5, floats(1), floats(1))).toThrow('size is 1.5')
  expect(gelu(-1, floats(1), floats(1))).toThrow('size is -1')
  expect(gelu(4, [1] as never, floats(4))).toThrow('x is not a Float32Array')
  expect(gelu(4, undefined as never, floats(4))).toThrow('x is not a Float32Array')
  expect(() => (addon.multiplyAdd as (operations: number) => number)(4)).toThrow('threads is missing')
  const linear = (rows: number, inputs: number, samples: number) => () =>
    addon.linear({
      ...{ rows, inputs, outputs: 1, dtype: 'float32', gelu: false },
      ...{ x: floats(rows * inputs), weight: floats(inputs), packed: null, bias: null, residual: null },
      drops: { dropoutProbability: 0, dropoutSeed: 0, dropPathProbability: 0, dropPathSeed: 0, samples },
      output: floats(rows),
    })
  expect(linear(1, 0, 1)).toThrow('inputs is 0; expected a positive number')
  expect(linear(3, 1, 2)).toThrow('drops.samples does not divide the rows')
  const token = { batch: 1, tokens: 2, hiddenSize: 3, index: 2, x: floats(6), output: floats(3) }
  expect(() => addon.selectToken(token)).toThrow('index is not one of the tokens')
  const loss = { batch: 1, classes: 3, logits: floats(3), probabilities: null, labelSmoothing: 0 }
  expect(() => addon.crossEntropy({ ...loss, labels: Int32Array.of(3) })).toThrow(
    'label 3 of image 0 is not a class index from 0 to 2',
  )
  const one = { x: floats(1), weight: floats(1), bias: floats(1), output: floats(1), mean: null, rstd: null }
  expect(() => addon.layerNorm({ rows: 2 ** 40, hiddenSize: 2 ** 40, eps: 0, ...one })).toThrow(
    'the dimensions are too large',
  )
  expect(() => addon.packedLinearFloats({ inputs: 2 ** 40, outputs: 2 ** 40, dtype: 'float32' })).toThrow(
    'the dimensions are too large',
  )
  // Sizes too large are refused beside an empty batch as well, which makes their product 0.
  const [none, huge, tooLarge] = [floats(0), 2 ** 40, 'the dimensions are too large']
  const image = { batch: 0, channels: 1, height: huge, width: huge, patchHeight: 1, patchWidth: 1, hiddenSize: 1 }
  const patchEmbed = { ...image, dtype: 'float32', pixelValues: none, weight: floats(1) } as const
  expect(() => addon.patchEmbed({ ...patchEmbed, bias: floats(1), output: none })).toThrow(tooLarge)
  expect(() =>
    addon.patchEmbedGrad({ ...patchEmbed, dy: none, dPixelValues: null, dWeight: null, dBias: null }),
  ).toThrow(tooLarge)
  const tokens = { batch: 0, patches: huge, hiddenSize: huge }
  const embeddings = { patchEmbeddings: none, clsToken: none, positionEmbeddings: none, output: none }
  expect(() => addon.embedTokens({ ...tokens, ...embeddings })).toThrow(tooLarge)
  const heads = { batch: 0, tokens: huge, numHeads: huge, headSize: 1, scale: 1, dropoutProbability: 0, seed: 0 }
  expect(() => addon.attention({ ...heads, dtype: 'float32', qkv: none, output: none, logSumExp: null })).toThrow(
    tooLarge,
  )
  expect(() => addon.packedLinearFloats({ inputs: 2 ** 17 + 1, outputs: 1, dtype: 'int8' })).toThrow(
    'more than 131072 inputs',
  )
  expect(() => addon.packedLinearFloats({ inputs: 1, outputs: 1, dtype: 'int4' as 'int8' })).toThrow(
    "dtype is not 'float32', 'bfloat16' or 'int8'",
  )
  expect(() => addon.setThreads(257)).toThrow('threads is more than 256')
  expect(() => addon.discard(floats(4) as never)).toThrow('buffer is not an ArrayBuffer')
})

test('a step over lists of different lengths is refused', () => {
  const step = (gradients: Float32Array[], parameters: Float32Array[]) => () =>
    addon.sgdStep({
      ...{ step: 1, lr: 0.1, momentum: 0, nesterov: false, weightDecay: 0, gradientScale: 1, gradientLimit: Infinity },
      ...{ gradients, parameters, velocities: [] },
    })
  expect(step([], [floats(4)])).toThrow('parameters has 1 entries; expected 0')
  expect(step([floats(4)], [])).toThrow('parameters has 0 entries; expected 1')
  expect(step([floats(4)], [floats(5)])).toThrow('parameters has 5 elements; expected 4')
})

test.skipIf(!Bun.which('node'))('plain Node loads the addon and gets its errors', () => {
  const path = join(import.meta.dir, `../../build/${process.platform}-${process.arch}/vitral.node`)
  const program = `
    const addon = require(${JSON.stringify(path)})
    const y = new Float32Array(addon.allocate(12), 0, 3)
    addon.gelu({ size: 3, x: Float32Array.of(-1, 0, 1), output: y })
    let error
    try { addon.gelu({ size: 3, x: y, output: new Float32Array(2) }) } catch (thrown) { error = thrown }
    console.log(JSON.stringify({ y: [...y], type: error.name, message: error.message }))`
  const { stdout, stderr } = Bun.spawnSync(['node', '-e', program])
  expect(stderr.toString()).toBe('')
  const { y, type, message } = JSON.parse(stdout.toString())
  expect(y).toEqual([...Float32Array.of(-0.15865525, 0, 0.8413447)].map(value => expect.closeTo(value, 6)))
  expect([type, message]).toEqual(['TypeError', 'gelu: output has 2 elements; expected 3'])
})

if (!Bun.which('node')) console.log('skipped plain Node: there is no node on the PATH')
