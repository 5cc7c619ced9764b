import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { loadAddon } from './addon.ts'

const addon = loadAddon()
const floats = (n: number) => new Float32Array(n)

test('the addon refuses what does not fit, naming it', () => {
  expect(() => addon.gelu(4, floats(4), floats(3))).toThrow('gelu: output has 3 elements; expected 4')
  expect(() => addon.gelu(1.5, floats(1), floats(1))).toThrow('size is 1.5')
  expect(() => addon.gelu(-1, floats(1), floats(1))).toThrow('size is -1')
  expect(() => addon.gelu(4, [1] as never, floats(4))).toThrow('x is not a Float32Array')
  expect(() => (addon.gelu as (n: number) => void)(4)).toThrow('x is missing')
  const linear = (rows: number, inputs: number, samples: number) => () =>
    addon.linear(
      ...([rows, inputs, 1, 'float32', false] as const),
      ...([floats(rows * inputs), floats(inputs), null, null, null] as const),
      ...([0, 0, 0, 0, samples, floats(rows)] as const),
    )
  expect(linear(1, 0, 1)).toThrow('inputs is 0; expected a positive number')
  expect(linear(3, 1, 2)).toThrow('samples does not divide the rows')
  expect(() => addon.selectToken(1, 2, 3, 2, floats(6), floats(3))).toThrow('index is not one of the tokens')
  expect(() => addon.crossEntropy(1, 3, floats(3), Int32Array.of(3), null, 0)).toThrow(
    'label 3 of image 0 is not a class index from 0 to 2',
  )
  expect(() => addon.layerNorm(2 ** 40, 2 ** 40, floats(1), floats(1), floats(1), 0, floats(1), null, null)).toThrow(
    'the dimensions are too large',
  )
  expect(() => addon.packedLinearFloats(2 ** 40, 2 ** 40, 'float32')).toThrow('the dimensions are too large')
  const huge = 2 ** 40
  const none = floats(0)
  const tooLarge = 'the dimensions are too large' // also where an empty batch makes the whole 0
  expect(() => addon.patchEmbed(0, 1, huge, huge, 1, 1, 1, 'float32', none, floats(1), floats(1), none)).toThrow(
    tooLarge,
  )
  expect(() =>
    addon.patchEmbedGrad(0, 1, huge, huge, 1, 1, 1, 'float32', none, none, floats(1), null, null, null),
  ).toThrow(tooLarge)
  expect(() => addon.embedTokens(0, huge, huge, none, none, none, none)).toThrow(tooLarge)
  expect(() => addon.attention(0, huge, huge, 1, 'float32', none, 1, 0, 0, none, null)).toThrow(tooLarge)
  expect(() => addon.packedLinearFloats(2 ** 17 + 1, 1, 'int8')).toThrow('more than 131072 inputs')
  expect(() => addon.packedLinearFloats(1, 1, 'int4' as 'int8')).toThrow("dtype is not 'float32', 'bfloat16' or 'int8'")
  expect(() => addon.setThreads(257)).toThrow('threads is more than 256')
  expect(() => addon.discard(floats(4) as never)).toThrow('buffer is not an ArrayBuffer')
})

test('a step over lists of different lengths is refused', () => {
  const step = (gradients: Float32Array[], parameters: Float32Array[]) => () =>
    addon.sgdStep(1, 0.1, 0, 0, 1, Infinity, false, gradients, parameters, [])
  expect(step([], [floats(4)])).toThrow('parameters has 1 entries; expected 0')
  expect(step([floats(4)], [])).toThrow('parameters has 0 entries; expected 1')
  expect(step([floats(4)], [floats(5)])).toThrow('parameters has 5 elements; expected 4')
})

test.skipIf(!Bun.which('node'))('plain Node loads the addon and gets its errors', () => {
  const path = join(import.meta.dir, `../../build/${process.platform}-${process.arch}/vitral.node`)
  const program = `
    const addon = require(${JSON.stringify(path)})
    const y = new Float32Array(addon.allocate(12), 0, 3)
    addon.gelu(3, Float32Array.of(-1, 0, 1), y)
    let error
    try { addon.gelu(3, y, new Float32Array(2)) } catch (thrown) { error = thrown }
    console.log(JSON.stringify({ y: [...y], type: error.name, message: error.message }))`
  const { stdout, stderr } = Bun.spawnSync(['node', '-e', program])
  expect(stderr.toString()).toBe('')
  const { y, type, message } = JSON.parse(stdout.toString())
  expect(y).toEqual([...Float32Array.of(-0.15865525, 0, 0.8413447)].map(value => expect.closeTo(value, 6)))
  expect([type, message]).toEqual(['TypeError', 'gelu: output has 2 elements; expected 3'])
})

if (!Bun.which('node')) console.log('skipped plain Node: there is no node on the PATH')
