/** The suite must bite: a backend whose kernel is wrong in one element of one odd shape fails there, and only there. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import {
  copyRegisteredKernels,
  engine,
  type KernelConfig,
  type KernelFunc,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
  type Tensor,
  tensor,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { residualCases } from './residual.ts'

const backend = 'broken'

beforeAll(async () => {
  await useBackend('cpu')
  copyRegisteredKernels('cpu', backend)
  registerBackend(backend, () => Object.assign(new MathBackendCPU(), { firstUse: false }))
  await setBackend(backend)
})
afterAll(async () => {
  await useBackend('cpu')
  removeBackend(backend)
})

/** Where a kernel is wrong: one element of the 2×17×33 case, by a thousandth of a typical value. */
type Break = 'nothing' | 'the value' | 'the gradient'

function withResidualKernels(wrong: Break, f: () => Promise<void>): Promise<void> {
  const values = (info: unknown): Float32Array => engine().backend.readSync((info as Tensor).dataId) as Float32Array
  const output = (data: Float32Array, shape: number[], broken: boolean) => {
    if (broken && shape.join() === '2,17,33') data[777] = (data[777] as number) + 1e-3
    return tensor(data, shape)
  }
  const forward: KernelFunc = ({ inputs, attrs }) => {
    const { x, branch } = inputs as Record<'x' | 'branch', Tensor>
    const probability = (attrs as { dropPathProbability?: number } | undefined)?.dropPathProbability
    if (probability !== 0) throw new Error('only the cases without drop path are tried here')
    const right = values(branch)
    return output(
      values(x).map((value, i) => value + (right[i] as number)),
      x.shape,
      wrong === 'the value',
    )
  }
  const backward: KernelFunc = ({ inputs, attrs }) => {
    const { dy } = inputs as Record<'dy', Tensor>
    const { wanted } = attrs as unknown as { wanted: string[] }
    return wanted.map(name => output(values(dy).slice(), dy.shape, wrong === 'the gradient' && name === 'branch'))
  }
  const kernels: KernelConfig[] = [
    { kernelName: 'VitralResidual', backendName: backend, kernelFunc: forward },
    { kernelName: 'VitralResidualGrad', backendName: backend, kernelFunc: backward },
  ]
  for (const config of kernels) registerKernel(config)
  return f().finally(() => {
    for (const { kernelName } of kernels) unregisterKernel(kernelName, backend)
  })
}

/** The names of the cases that fail, with their reasons. */
async function failures(wrong: Break): Promise<string[]> {
  const failed: string[] = []
  await withResidualKernels(wrong, async () => {
    for (const { name, run } of residualCases().filter(({ name }) => name.endsWith('drop path 0')))
      await run().catch((error: Error) => failed.push(`${name}: ${error.message}`))
  })
  return failed
}

test('a right kernel passes', async () => {
  expect(await failures('nothing')).toEqual([])
})

for (const wrong of ['the value', 'the gradient'] as const)
  test(`one wrong element in ${wrong} fails that case alone`, async () => {
    const failed = await failures(wrong)
    expect(failed.length).toBe(1)
    expect(failed[0]).toStartWith('residual: 2×17×33')
    expect(failed[0]).toContain('at element 777')
  })
