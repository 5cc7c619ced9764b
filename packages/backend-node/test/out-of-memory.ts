/** Run by memory.test.ts in a process of its own, whose memory ends soon: prints what fails, and what works after it. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { memory, ones, type Tensor2D, type Tensor4D, tidy } from '@tensorflow/tfjs-core'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { linear } from '@vitral/core/ops'
import { trainingBits } from './training-bits.ts'

await useBackend('native')
const bits = trainingBits()
const config = { hiddenSize: 96, numHiddenLayers: 6, numAttentionHeads: 3, imageSize: 32, patchSize: 4, numLabels: 10 }
const model = new ViTForImageClassification(config)
const used = (): object => {
  const { numTensors, numBytesLive } = memory() as unknown as Record<string, number>
  return { numTensors, numBytesLive }
}
const before = used()

const mapped = Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const limited = spawnSync('prlimit', ['--pid', `${process.pid}`, `--as=${mapped + 700 * 2 ** 20}`], {
  encoding: 'utf8',
})
if (limited.status !== 0) throw new Error(limited.stderr)

const attempt = (compute: () => unknown): { name: string; code: string; message: string } | undefined => {
  try {
    tidy(() => void compute())
  } catch (error) {
    const { name, code, message } = error as Error & { code: string }
    return { name, code, message }
  }
}
const failures = [
  attempt(() => linear(ones([2 ** 14, 8]) as Tensor2D, ones([2 ** 14, 8]) as Tensor2D)),
  attempt(() => model.valueAndGrads(ones([1024, 3, 32, 32]) as Tensor4D, Array(1024).fill(0))),
]
console.log(JSON.stringify({ failures, before, after: used(), same: trainingBits() === bits }))
