/** Weights in half the bytes: rounded to the nearest value that there is. */
import { beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Variable } from '@tensorflow/tfjs-core'
import { useBackend } from '../../backend.ts'
import { ViTForImageClassification } from '../../index.ts'
import { fromFloat32, toFloat32, type WeightDtype } from './dtypes.ts'

const round = (values: readonly number[], dtype: WeightDtype): number[] => [
  ...toFloat32(fromFloat32(Float32Array.from(values), dtype)),
]

describe.each(['float16', 'bfloat16'] as const)('%s', dtype => {
  const every = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
  const all = toFloat32({ dtype: dtype === 'float16' ? 'F16' : 'BF16', data: every })
  const finite = [...all].filter(Number.isFinite).sort((a, b) => a - b)

  test('keeps each of its values', () => {
    const back = fromFloat32(all, dtype).data
    const values = round([...all], dtype)
    for (const [bits, value] of all.entries()) {
      // One NaN is as good as another.
      const isKept = Number.isNaN(value) ? Number.isNaN(values[bits]) : back[bits] === bits
      if (!isKept) throw new Error(`${bits} (${value}) became ${back[bits]}`)
    }
  })

  test('rounds what is between two of them to the nearer, and the middle to the even one', () => {
    for (let i = 1; i < finite.length; i++) {
      const [below, above] = [finite[i - 1] as number, finite[i] as number]
      if (below === above) continue // the two zeros
      const middle = (below + above) / 2
      if (Math.fround(middle) !== middle) continue
      const step = (above - below) / 8
      const [near, far] = round([middle - step, middle + step], dtype)
      if (near !== below || far !== above) throw new Error(`around ${middle}: ${near} and ${far}`)
      const [chosen] = fromFloat32(Float32Array.of(middle), dtype).data
      if ((Number(chosen) & 1) !== 0) throw new Error(`${middle} became the odd ${chosen}`)
    }
  })

  test('has infinity for what is too large', () => {
    expect(round([3.4e38, -3.4e38, Infinity], dtype)).toEqual([Infinity, -Infinity, Infinity])
  })
})

describe('savePretrained', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-dtypes-'))
  const config = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, mlpRatio: 2, imageSize: 8, patchSize: 4 }
  let model: ViTForImageClassification
  beforeAll(async () => {
    await useBackend('cpu')
    model = new ViTForImageClassification({ ...config, extra: { kept: 1 } }, { seed: 1 })
  })

  test.each(['float32', 'float16', 'bfloat16'] as const)('writes %s and says so, and reads it back', async dtype => {
    const path = join(folder, dtype)
    await model.savePretrained(path, { dtype })
    expect(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))).toMatchObject({ torch_dtype: dtype, kept: 1 })
    const back = await ViTForImageClassification.fromPretrained(path)
    for (const [name, parameter] of back.parameters()) {
      const before = [...(await (model.parameters().get(name) as Variable).data())]
      expect([...(await parameter.data())]).toEqual(round(before, dtype))
    }
    back.dispose()
  })

  test('takes half the bytes', () => {
    const [whole, half] = ['float32', 'float16'].map(dtype => statSync(join(folder, dtype, 'model.safetensors')).size)
    expect((half as number) / (whole as number)).toBeLessThan(0.7) // the header is as long
  })

  test('refuses what float16 cannot hold, before it writes', async () => {
    const large = new ViTForImageClassification(config, {
      values: new Map([['classifier.bias', Float32Array.of(7e4, 0)]]),
    })
    await expect(large.savePretrained(join(folder, 'large'), { dtype: 'float16' })).rejects.toThrow(
      "'classifier.bias' has a weight of 70000, more than float16 holds (65504)",
    )
    expect(existsSync(join(folder, 'large'))).toBe(false)
    large.dispose()
  })

  test('refuses another type by name', async () => {
    await expect(model.savePretrained(folder, { dtype: 'int4' as 'float16' })).rejects.toThrow(
      "The weights' dtype is 'int4'; expected one of float32, float16, bfloat16.",
    )
    model.dispose()
    rmSync(folder, { recursive: true })
  })
})
