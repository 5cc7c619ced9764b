/**
 * What a pass of a ViT has the device do, counted on Dawn's null backend, which executes nothing and needs no GPU. It is a
 * program, since a process has one WebGPU: `bun test/webgpu-pass.ts small|tiny forward|train BATCH RUNS`, where `tiny` is
 * ViT-Ti/4 and `small` smaller than any real model, prints a line of JSON a run.
 */
import { engine, type Tensor, type Tensor4D, type Variable, variable, zeros } from '@tensorflow/tfjs-core'
import { namedConfig, useBackend, type ViTConfigOptions, ViTForImageClassification } from '@vitral/core'
import { gradNorm, optimizerStep } from '@vitral/core/ops'
import type { WebgpuBackend } from '../src/webgpu/backend.ts'
import type { Counts } from '../src/webgpu/recorder.ts'
import { useNullBackend } from './null-backend.ts'

/** One run's counts. */
export interface PassCounts extends Counts {
  /** Bytes of buffers on the device, after it. */
  bytesAllocated: number
  /** Bytes of them that tensors have. */
  bytesLive: number
  tensors: number
}

const small: ViTConfigOptions = { hiddenSize: 12, numHiddenLayers: 2, numAttentionHeads: 2, mlpRatio: 2, patchSize: 8 }

async function main([size, what, batchText, runs]: string[]): Promise<void> {
  useNullBackend()
  await useBackend('webgpu')
  const config =
    size === 'tiny' ? namedConfig('vit-tiny-patch4-32', { numLabels: 10 }) : { ...small, imageSize: 32, numLabels: 10 }
  const model = new ViTForImageClassification(config, { seed: 1 })
  const batch = Number(batchText)
  const run = what === 'train' ? trainingStep(model) : forward(model)
  for (let i = 0; i < Number(runs); i++) {
    const before = counts()
    const images = engine().makeTensor(new Float32Array(batch * 3 * 32 * 32), [batch, 3, 32, 32], 'float32') as Tensor4D
    await run(images)
    images.dispose()
    const after = counts()
    const { bytesAllocated, bytesLive, tensors } = after
    const during = Object.fromEntries(
      Object.entries(after).map(([key, value]) => [key, value - before[key as 'tensors']]),
    )
    console.log(JSON.stringify({ ...during, bytesAllocated, bytesLive, tensors }))
  }
}

function counts(): PassCounts {
  const { recorder } = engine().backend as WebgpuBackend
  return {
    ...recorder.counts,
    bytesAllocated: recorder.bytes.allocated,
    bytesLive: recorder.bytes.live,
    tensors: engine().memory().numTensors,
  }
}

type Pass = (images: Tensor4D) => Promise<void>

const forward =
  (model: ViTForImageClassification): Pass =>
  async images => {
    const { logits } = model.forward(images)
    await logits.data()
    logits.dispose()
  }

function trainingStep(model: ViTForImageClassification): Pass {
  const parameters = [...model.parameters()].filter(([key]) => !key.endsWith('mask_token'))
  const state = [0, 1].map(() => parameters.map(([, { shape }]) => variable(zeros(shape))))
  const adam = {
    algorithm: 'adam',
    lr: 1e-3,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
    decoupled: true,
  } as const
  let step = 0
  return async images => {
    const labels = Array.from({ length: images.shape[0] }, (_, i) => i % 10)
    const { loss, logits, grads } = model.valueAndGrads(images, labels)
    const gradients = parameters.map(([key]) => grads[key] as Tensor)
    const norm = gradNorm(gradients)
    optimizerStep(
      { parameters: parameters.map(([, parameter]) => parameter as Variable), gradients, state },
      { ...adam, step: ++step },
    )
    await Promise.all([loss.data(), norm.data()])
    for (const tensor of [loss, logits, norm, ...Object.values(grads)]) tensor.dispose()
  }
}

await main(process.argv.slice(2))
process.exit(0)
