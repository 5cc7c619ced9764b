import { beforeAll, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { backend, memory, ones, type Tensor4D, tensor1d, tidy, variable, zeros } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import type { KernelBackend } from '@vitral/core/kernels'
import { optimizerStep } from '@vitral/core/ops'

interface NativeMemory {
  numTensors: number
  numBytesLive: number
  numBytesFree: number
}
const used = (): NativeMemory => memory() as unknown as NativeMemory

let before: NativeMemory
beforeAll(() => useBackend('native'))
beforeEach(() => {
  before = used()
})

const small = {
  hiddenSize: 48,
  numHiddenLayers: 3,
  numAttentionHeads: 3,
  mlpRatio: 4,
  imageSize: 32,
  patchSize: 4,
  numLabels: 10,
}
const sgd = { algorithm: 'sgd', step: 1, lr: 1, weightDecay: 0, momentum: 0, nesterov: false } as const

test('three hundred training steps use no more memory than three', () => {
  const model = new ViTForImageClassification(small)
  const parameters = [...model.parameters().values()]
  const state = [0, 1].map(() => parameters.map(parameter => tidy(() => variable(zeros(parameter.shape)))))
  const step = (n: number) =>
    tidy(() => {
      const { grads } = model.valueAndGrads(ones([4, 3, 32, 32]) as Tensor4D, [0, 1, 2, 3])
      const options = {
        algorithm: 'adam',
        lr: 1e-4,
        weightDecay: 0,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        decoupled: true,
      } as const
      optimizerStep({ parameters, gradients: Object.values(grads), state }, { ...options, step: n })
    })
  for (let n = 1; n <= 3; n++) step(n)
  const early = used()
  for (let n = 4; n <= 300; n++) step(n)
  expect(used()).toEqual(early)
  model.dispose()
  for (const slot of state) for (const made of slot) made.dispose()
  expect(used().numTensors).toBe(before.numTensors)
  expect(used().numBytesLive).toBe(before.numBytesLive)
})

test('many sizes do not fill the pool', () => {
  const native = backend() as KernelBackend
  const resident = process.memoryUsage.rss()
  // As kernels make them: an array given by a program would be its runtime's to free, which it does as it likes.
  for (let size = 0; size < 3000; size++) {
    const { info, values } = native.allocate([2000 + size, 64])
    values.fill(0)
    native.disposeData(info.dataId)
  }
  expect(used().numBytesFree).toBeLessThanOrEqual(300 * 2 ** 20)
  expect(used().numBytesLive).toBe(before.numBytesLive)
  // What went through is 2.7 GB.
  expect(process.memoryUsage.rss() - resident).toBeLessThan(2 ** 30)
})

test('an array that a user gave is never changed, and one that a user got never changes', async () => {
  const given = new Float32Array(4096).fill(1)
  const parameter = tidy(() => variable(tensor1d(given)))
  const got = (await parameter.data()) as Float32Array
  const gradient = ones([4096])
  optimizerStep({ parameters: [parameter], gradients: [gradient], state: [] }, sgd)
  expect(parameter.dataSync()[0]).toBe(0)
  parameter.dispose()
  const reused = zeros([4096])
  expect(given.every(value => value === 1)).toBe(true)
  expect(got.every(value => value === 1)).toBe(true)
  reused.dispose()
  gradient.dispose()
})

test('a tensor that comes from another backend is copied: its array there may be that of a user', async () => {
  await useBackend('cpu')
  const given = new Float32Array(4096).fill(1)
  const parameter = tidy(() => variable(tensor1d(given)))
  await useBackend('native')
  const got = parameter.dataSync()
  tidy(() => optimizerStep({ parameters: [parameter], gradients: [ones([4096])], state: [] }, sgd))
  expect([given[0], got[0], parameter.dataSync()[0]]).toEqual([1, 1, 0])
  parameter.dispose()
  expect(used().numBytesLive).toBe(before.numBytesLive)
})

test('ten thousand training steps use no more memory than two thousand', () => {
  const [early, late] = runAlone('many-steps.ts') as [Use, Use]
  expect(late).toEqual({ ...early, resident: expect.any(Number) })
  // A leak of half a page in each step would be as much; what the runtime keeps of its own garbage varies by a few MB.
  expect(late.resident - early.resident).toBeLessThan(16 * 2 ** 20)
})

test.skipIf(!Bun.which('prlimit'))('where memory ends there is an error, and computing goes on after it', () => {
  const { failures, ...rest } = runAlone('out-of-memory.ts') as Record<
    'failures' | 'before' | 'after' | 'same',
    unknown
  >
  const outOfMemory = {
    name: 'Error',
    code: 'ERR_OUT_OF_MEMORY',
    message: expect.stringMatching(/^allocate: the system has no \d+ MB of memory left; a smaller batch takes less$/),
  }
  expect(failures).toEqual([outOfMemory, outOfMemory])
  expect(rest).toEqual({ before: rest.before, after: rest.before, same: true })
})
if (!Bun.which('prlimit')) console.log('skipped the end of memory: there is no prlimit to set one')

interface Use {
  numTensors: number
  numBytesLive: number
  numBytesFree: number
  resident: number
}

/** What a program of the test folder prints, as JSON, in a process of its own. */
function runAlone(program: string): unknown {
  const { stdout, stderr } = Bun.spawnSync([process.execPath, join(import.meta.dir, '../../test', program)])
  expect(stderr.toString()).toBe('')
  return JSON.parse(stdout.toString())
}
