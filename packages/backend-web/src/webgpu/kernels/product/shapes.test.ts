/** The products of GPUs, on whatever adapter there is: an emulation has others. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { engine } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { conformanceCases } from '@vitral/core/conformance'
import { whyNoGpu } from '../../../../test/gpu.ts'
import type { WebgpuBackend } from '../../backend.ts'
import { textOf } from '../../program.ts'
import { type ProductKind, productProgram } from './product.ts'
import { lanes, tiles } from './shapes.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of webgpu's products: ${reason}`)

const ops = ['linear', 'qkv', 'patchEmbed', 'loraWeight']

describe.skipIf(reason !== undefined)('products in the shape of GPUs', () => {
  let emulated: boolean
  const backend = () => engine().backend as WebgpuBackend
  beforeAll(async () => {
    await useBackend('webgpu')
    emulated = backend().emulated
    Object.assign(backend(), { emulated: false })
  })
  afterAll(() => {
    Object.assign(backend(), { emulated })
  })
  for (const { name, run } of conformanceCases()) if (ops.includes(name.split(':')[0] as string)) test(name, run)
})

test('a product in either shape fits what every browser gives', () => {
  const factor = { along: 'inner', half: false, stack: 'none' } as const
  const kind: ProductKind = {
    a: factor,
    b: { ...factor, stack: 'parts' },
    epilogue: {
      ...{ aligned: true, half: false, stack: false, scaling: false, bias: 'parts', geluGradient: 'none' },
      ...{ drops: false, residual: false, gelu: 'none' },
    },
    sumsRows: false,
  }
  for (const shape of [lanes, tiles]) {
    const program = productProgram(kind, shape, 768)
    expect(Object.keys(program.bindings).length).toBeLessThanOrEqual(8)
    expect(program.lanes).toBeLessThanOrEqual(256)
    const vectors = [...textOf(program).matchAll(/var<workgroup> \w+: array<vec4f, (\d+)>/g)]
    expect(vectors.reduce((bytes, [, count]) => bytes + 16 * Number(count), 0)).toBeLessThanOrEqual(16384)
  }
})
