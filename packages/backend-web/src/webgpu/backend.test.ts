/** What kernels and the engine can rely on: memory, commands, formats. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  add,
  engine,
  fill,
  mul,
  profile,
  range,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { gradNorm, optimizerStep, unscale } from '@vitral/core/ops'
import { whyNoGpu } from '../../test/gpu.ts'
import type { WebgpuBackend } from './backend.ts'
import { program } from './program.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of webgpu's backend: ${reason}`)

/** More elements than tfjs computes with on the CPU. */
const ELEMENTS = 5000

describe.skipIf(reason !== undefined)('the backend webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  afterAll(() => useBackend('cpu'))
  const backend = () => engine().backend as WebgpuBackend

  /** The values, and the tensor freed. */
  async function valuesOf(x: Tensor): Promise<number[]> {
    const values = [...(await x.data())]
    x.dispose()
    return values
  }

  test('a tensor may be an input twice', async () => {
    const x = range(0, ELEMENTS)
    expect((await valuesOf(mul(x, x)))[70]).toBe(4900)
    expect((await valuesOf(tidy(() => add(mul(x, x), mul(x, x)))))[70]).toBe(9800)
    x.dispose()
  })

  test('values uploaded to memory that queued commands still use come after those commands', async () => {
    for (const elements of [1000, ELEMENTS]) {
      const results: Tensor[] = []
      for (let i = 0; i < 20; i++) {
        const x = tensor1d(new Float32Array(elements).fill(i))
        results.push(add(x, fill([elements], 100)))
        x.dispose() // its memory is the next one's, before anything is submitted
      }
      for (const [i, result] of results.entries()) expect((await valuesOf(result))[elements - 1]).toBe(100 + i)
    }
  })

  test('reads that begin together share a submission', async () => {
    const tensors = Array.from({ length: 5 }, (_, i) => fill([ELEMENTS], i))
    const { submits } = backend().recorder.counts
    const values = await Promise.all(tensors.map(valuesOf))
    expect(values.map(([value]) => value)).toEqual([0, 1, 2, 3, 4])
    expect(backend().recorder.counts.submits).toBe(submits + 1)
  })

  test('more dispatches than have constants at once are submitted in parts', async () => {
    let x: Tensor = fill([ELEMENTS], 0)
    for (let i = 0; i < 2500; i++) {
      const next = add(x, fill([1], 1))
      x.dispose()
      x = next
    }
    expect((await valuesOf(x))[ELEMENTS - 1]).toBe(2500)
  })

  test('a tensor of half the bytes is read by stock kernels and by data() as its values in float32', async () => {
    const values = Float32Array.of(1, -2.5, 65504, 2 ** -24, 0.333251953125)
    const halves = Uint16Array.of(0x3c00, 0xc100, 0x7bff, 0x0001, 0x3555)
    const made = () => {
      const { info, range } = backend().output([5], { half: true })
      backend().recorder.upload(range, halves)
      return engine().makeTensorFromTensorInfo(info)
    }
    const [read, computed] = [made(), made()]
    expect(backend().stored(read).half).toBe(true)
    expect(await valuesOf(read)).toEqual([...values])
    const doubled = add(computed, computed)
    computed.dispose()
    expect(await valuesOf(doubled)).toEqual([...values.map(value => 2 * value)])
  })

  test('values that were read are not remembered once a step writes the tensor in place', async () => {
    const parameter = tidy(() => tensor1d(new Float32Array(ELEMENTS).fill(3)).variable())
    const gradient = fill([ELEMENTS], 1)
    expect((await parameter.data())[0]).toBe(3)
    const sgd = { algorithm: 'sgd', step: 1, lr: 0.5, weightDecay: 0, momentum: 0, nesterov: false } as const
    optimizerStep({ parameters: [parameter], gradients: [gradient], state: [] }, sgd)
    expect((await parameter.data())[0]).toBe(2.5)
    for (const made of [parameter, gradient]) made.dispose()
  })

  test('more workgroups than fit in one axis cover every element', async () => {
    const elements = 65_536 * 64 + 1
    const x = fill([elements], 2)
    const { info, range: output } = backend().runKernel(() => backend().output([elements]))
    const copied = program({
      name: 'a test copies',
      bindings: { x: 'f32', output: 'f32' },
      constants: { size: 'u32' },
      body: 'let i = group * LANES + lane; if (i < constants.size) { output[i] = x[i] + f32(i % 3); }',
    })
    const ranges = { x: backend().range(x), output }
    backend().dispatch(copied, ranges, { size: elements }, Math.ceil(elements / 64))
    const values = await valuesOf(engine().makeTensorFromTensorInfo(info))
    expect(values.findIndex((value, i) => value !== 2 + (i % 3))).toBe(-1)
    x.dispose()
  })

  test('programs of one name with two texts are refused', () => {
    const made = (body: string) => program({ name: 'a test', bindings: { x: 'f32' }, constants: {}, body })
    const x = backend().recorder.memory.acquire(4)
    backend().dispatch(made('x[0] = 1;'), { x }, {}, 1)
    backend().dispatch(made('x[0] = 1;'), { x }, {}, 1)
    expect(() => backend().dispatch(made('x[0] = 2;'), { x }, {}, 1)).toThrow('Two programs have the name a test')
    backend().recorder.memory.release(x)
  })

  test('a kernel that throws leaves nothing behind', () => {
    const { live } = backend().recorder.bytes
    const fails = () => {
      backend().output([ELEMENTS])
      backend().scratch(ELEMENTS)
      throw new Error('on purpose')
    }
    expect(() => backend().runKernel(fails)).toThrow('on purpose')
    expect(backend().recorder.bytes.live).toBe(live)
  })

  test('a training step runs our kernels, and frees what it takes', async () => {
    const config = { hiddenSize: 12, numHiddenLayers: 2, numAttentionHeads: 2, mlpRatio: 2, imageSize: 8, patchSize: 4 }
    const options = { seed: 1, useMaskToken: true }
    const model = new ViTForImageClassification({ ...config, numLabels: 3, hiddenDropoutProb: 0.1 }, options)
    const images = fill([2, 3, 8, 8], 0.5) as Tensor4D
    const boolMaskedPos = fill([2, 4], 1) as Tensor2D
    const step = () => {
      const { loss, logits, grads } = model.valueAndGrads(images, [0, 2], { boolMaskedPos })
      const names = Object.keys(grads)
      const { gradients, foundNonFinite } = unscale(Object.values(grads), 0.5)
      const norm = gradNorm(gradients)
      const sgd = { algorithm: 'sgd', step: 1, lr: 0.1, weightDecay: 0, momentum: 0, nesterov: false } as const
      const parameters = names.map(name => model.parameters().get(name) as Variable)
      optimizerStep({ parameters, gradients, state: [] }, sgd)
      for (const made of [loss, logits, norm, foundNonFinite, ...gradients, ...Object.values(grads)]) made.dispose()
    }
    step() // tables and programs
    const { live } = backend().recorder.bytes
    const { kernelNames } = await profile(() => {
      step()
      return sub(1, 1)
    })
    for (const name of ['EmbedTokens', 'MaskTokens', 'Dropout', 'LayerNorm', 'SelectToken', 'CrossEntropy'])
      expect(kernelNames).toEqual(expect.arrayContaining([`Vitral${name}`, `Vitral${name}Grad`]))
    expect(kernelNames).toEqual(expect.arrayContaining(['VitralGradNorm', 'VitralUnscale', 'VitralOptimizerStep']))
    expect(backend().recorder.bytes.live).toBe(live)
    for (const made of [images, boolMaskedPos]) made.dispose()
    model.dispose()
  }, 60_000)
})
