/** The suite must bite: a backend whose kernel is wrong in one element of one odd shape fails there, and only there. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import {
  add,
  copyRegisteredKernels,
  engine,
  type KernelConfig,
  type KernelFunc,
  mul,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
  type Tensor,
  tensor,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { useBackend } from '../backend.ts'
import { defineOp } from '../tape/op.ts'
import { opCase, randomValues } from './check.ts'

const backend = 'broken'

const weightedSum = defineOp({
  kernel: 'VitralWeightedSum',
  save: [],
  gradients: ['x', 'branch'],
  reference: ({ x, branch }: Record<'x' | 'branch', Tensor>, { factor }: { factor: number }) =>
    add(x, mul(branch, factor)),
})

const FACTOR = 3
const weightedSumCases = [
  [3, 5, 7],
  [2, 17, 33],
  [9, 3, 5],
].map(shape =>
  opCase({
    name: `sum: ${shape.join('×')}`,
    inputs: { x: randomValues(shape, 1), branch: randomValues(shape, 2) },
    outputShape: shape,
    run: inputs => weightedSum(inputs, { factor: FACTOR }),
    forward: ({ x, branch }) => x.map((value, i) => value + FACTOR * (branch[i] as number)),
    backward: (_, dy) => ({ x: dy, branch: dy.map(up => FACTOR * up) }),
  }),
)

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

interface Call {
  direction: 'forward' | 'backward'
  /** Whether a tape records the forward pass. */
  training: boolean
  /** The gradients asked for, and which of them this is. */
  wanted: string[]
  name: string
}

/** What a kernel does wrong, and what the suite says of it. */
interface Break {
  broken: (call: Call) => boolean
  change: (data: Float32Array, shape: number[]) => Tensor
  says: string
}

const wrongElement = (data: Float32Array, shape: number[]): Tensor => {
  data[777] = (data[777] as number) * (1 + 1e-3)
  return tensor(data, shape)
}

const breaks: Record<string, Break> = {
  'one element of the value': {
    broken: ({ direction }) => direction === 'forward',
    change: wrongElement,
    says: 'the value is .* at element 777',
  },
  'one element of the value, under a tape only': {
    broken: ({ direction, training }) => direction === 'forward' && training,
    change: wrongElement,
    says: 'the value under a tape is .* at element 777',
  },
  'one element of a gradient': {
    broken: ({ direction, name }) => direction === 'backward' && name === 'branch',
    change: wrongElement,
    says: 'the gradient of branch, with those of x,branch wanted, is .* at element 777',
  },
  'one element of a gradient that alone is wanted': {
    broken: ({ direction, name, wanted }) => direction === 'backward' && name === 'branch' && wanted.length === 1,
    change: wrongElement,
    says: 'the gradient of branch, with those of branch wanted, is .* at element 777',
  },
  'one element that is not a number': {
    broken: ({ direction }) => direction === 'forward',
    change: (data, shape) => tensor(data.with(777, Number.NaN), shape),
    says: 'the value is NaN at element 777',
  },
  'the shape of the value': {
    broken: ({ direction, training }) => direction === 'forward' && !training,
    change: data => tensor(data, [34, 33]),
    says: 'the value is float32 \\[34,33\\] of 1122 elements; expected float32 \\[2,17,33\\]',
  },
  'the shape of a gradient': {
    broken: ({ direction, name }) => direction === 'backward' && name === 'x',
    change: data => tensor(data, [34, 33]),
    says: 'the gradient of x, .* is float32 \\[34,33\\]',
  },
  'memory that is never freed': {
    broken: ({ direction }) => direction === 'backward',
    change: (data, shape) => {
      tensor([1])
      return tensor(data, shape)
    },
    says: 'memory leak',
  },
}

/** Right kernels but for the break, which is there for the shape 2×17×33 alone. */
function weightedSumKernels(wrong?: Break): KernelConfig[] {
  const values = ({ dataId }: Tensor): Float32Array => engine().backend.readSync(dataId) as Float32Array
  const make = (data: Float32Array, shape: number[], call: Call): Tensor =>
    wrong?.broken(call) && shape.join() === '2,17,33' ? wrong.change(data, shape) : tensor(data, shape)
  const forward: KernelFunc = ({ inputs, attrs }) => {
    const { x, branch } = inputs as Record<'x' | 'branch', Tensor>
    const { factor, training } = attrs as unknown as KernelAttrs
    const right = values(branch)
    const sums = values(x).map((value, i) => value + factor * (right[i] as number))
    return make(sums, x.shape, { direction: 'forward', training, wanted: [], name: 'output' })
  }
  const backward: KernelFunc = ({ inputs, attrs }) => {
    const { dy } = inputs as Record<'dy', Tensor>
    const { factor, wanted } = attrs as unknown as KernelAttrs
    return wanted.map(name => {
      const gradient = values(dy).map(up => (name === 'branch' ? factor * up : up))
      return make(gradient, dy.shape, { direction: 'backward', training: true, wanted, name })
    })
  }
  return [
    { kernelName: 'VitralWeightedSum', backendName: backend, kernelFunc: forward },
    { kernelName: 'VitralWeightedSumGrad', backendName: backend, kernelFunc: backward },
  ]
}

interface KernelAttrs {
  factor: number
  training: boolean
  wanted: string[]
}

/** The names of the op's cases that fail, with their reasons. */
async function failures(wrong?: Break): Promise<string[]> {
  const failed: string[] = []
  const kernels = weightedSumKernels(wrong)
  for (const config of kernels) registerKernel(config)
  try {
    for (const { name, run } of weightedSumCases)
      await run().catch((error: Error) => failed.push(`${name}: ${error.message}`))
  } finally {
    for (const { kernelName } of kernels) unregisterKernel(kernelName, backend)
  }
  return failed
}

test('conformance passes a right kernel', async () => {
  expect(await failures()).toEqual([])
})

for (const [what, wrong] of Object.entries(breaks))
  test(`conformance fails the one case of a kernel that is wrong in ${what}`, async () => {
    const failed = await failures(wrong)
    expect(failed.length).toBe(1)
    expect(failed[0]).toMatch(new RegExp(`^sum: 2×17×33: .*${wrong.says}`))
  })
