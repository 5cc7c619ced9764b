/** Attention as GPUs compute it, on whatever adapter there is, and of more heads than one axis of a dispatch has workgroups. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { engine, sum, type Tensor, type Tensor3D, tensor, tidy } from '@tensorflow/tfjs-core'
import { useBackend, valueAndGrads } from '@vitral/core'
import { conformanceCases } from '@vitral/core/conformance'
import { attention } from '@vitral/core/ops'
import { whyNoGpu } from '../../../../test/gpu.ts'
import type { WebgpuBackend } from '../../backend.ts'
import { textOf } from '../../program.ts'
import { keyProgram, queryProgram } from './backward.ts'
import { forwardProgram } from './forward.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of webgpu's attention: ${reason}`)

/** An emulation's compiler takes a minute for the programs of larger heads in this shape. */
const heads = / heads of (1|5|12|16|31|32|64),/

describe.skipIf(reason !== undefined)('attention in the shape of GPUs', () => {
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
  for (const { name, run } of conformanceCases()) if (name.startsWith('attention:') && heads.test(name)) test(name, run)
})

describe.skipIf(reason !== undefined)('attention', () => {
  beforeAll(() => useBackend('webgpu'))

  test('has more heads than 65,535', async () => {
    const [B, H, D] = [33_000, 2, 4]
    const C = H * D
    const values = Float32Array.from({ length: B * 3 * C }, (_, i) => (i % 1013) / 1013)
    const qkv = tensor(values, [B, 1, 3 * C]) as Tensor3D
    const output = tidy(() => attention(qkv, { numHeads: H }))
    const { value, grads } = valueAndGrads(
      () => ({ value: tidy(() => sum(attention(qkv, { numHeads: H }))), aux: undefined }),
      [qkv],
    )
    const [attended, gradient] = await Promise.all([output, grads[0] as Tensor].map(made => made.data()))
    for (const made of [qkv, output, value, ...grads]) made.dispose()
    // One token's attention is its value, and its query and key do not matter.
    let wrong = 0
    for (let i = 0; i < B * C; i++) {
      const at = Math.floor(i / C) * 3 * C + (i % C)
      if (!(Math.abs((attended?.[i] as number) - (values[at + 2 * C] as number)) < 1e-5)) wrong++
      if (gradient?.[at] !== 0 || gradient[at + C] !== 0 || gradient[at + 2 * C] !== 1) wrong++
    }
    expect(wrong).toBe(0)
  })

  test('fits what every browser gives', () => {
    const kind = { blocks: 4, half: false, halfOutput: false, emulated: false, subgroup: false }
    const programs = [forwardProgram(kind), queryProgram(kind), keyProgram(kind, 'keys'), keyProgram(kind, 'values')]
    for (const program of programs) {
      expect(Object.keys(program.bindings).length).toBeLessThanOrEqual(8)
      expect(program.lanes).toBeLessThanOrEqual(256)
      const arrays = [...textOf(program).matchAll(/var<workgroup> \w+: array<(vec4f|f32), (\d+)>/g)]
      const bytes = arrays.reduce((sum, [, type, count]) => sum + (type === 'f32' ? 4 : 16) * Number(count), 0)
      expect(bytes).toBeLessThanOrEqual(16384)
    }
  })
})
