/** Reductions on devices that have no subgroups, or subgroups of several sizes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { engine } from '@tensorflow/tfjs-core'
import { useBackend } from '@vitral/core'
import { conformanceCases } from '@vitral/core/conformance'
import { whyNoGpu } from '../../test/gpu.ts'
import type { WebgpuBackend } from './backend.ts'
import { rowProgram } from './row-program.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of reductions without subgroups: ${reason}`)

describe('which way a row is reduced', () => {
  const sum = rowProgram({
    name: 'a test sums',
    bindings: { x: 'f32' },
    constants: {},
    body: 'x[0] = sumOfLanes(x[lane], lane);',
  })
  const device = (features: string[], subgroupMinSize?: number, subgroupMaxSize?: number) =>
    ({ features: new Set(features), adapterInfo: { subgroupMinSize, subgroupMaxSize } }) as unknown as GPUDevice

  test('a workgroup is a subgroup where all have one size, else it has lanes of its own', () => {
    expect(sum(device(['subgroups'], 32, 32))).toMatchObject({ lanes: 32, enable: ['subgroups'] })
    for (const other of [device(['subgroups'], 8, 32), device([], 32, 32), device(['subgroups'])])
      expect(sum(other).enable).toBeUndefined()
  })

  test('a program is made once for each way', () => {
    expect(sum(device(['subgroups'], 16, 16))).toBe(sum(device(['subgroups'], 16, 16)))
    expect(sum(device([]))).toBe(sum(device([], 4, 4)))
  })
})

describe.skipIf(reason !== undefined)('reductions without subgroups', () => {
  const device = () => (engine().backend as WebgpuBackend).device
  beforeAll(async () => {
    await useBackend('webgpu')
    Object.defineProperty(device(), 'adapterInfo', { value: {}, configurable: true })
  })
  afterAll(async () => {
    Reflect.deleteProperty(device(), 'adapterInfo')
    await useBackend('cpu')
  })
  for (const { name, run } of conformanceCases()) if (/^(layerNorm|crossEntropy):/.test(name)) test(name, run)
})
