/** Vitral's loader, or a training step of ViT-Ti/4 on the batches that it loads. */
import { setThreads } from '@vitral/backend-node'
import { namedConfig, useBackend, ViTForImageClassification } from '@vitral/core'
import {
  type Batch,
  createLoader,
  type Dataset,
  openCifar10,
  openImageFolder,
  subset,
  transforms,
} from '@vitral/datasets'
import { createOptimizer, trainStep } from '@vitral/trainer'
import type { CheckedImages, DataOptions } from '../data/protocol.ts'
import { serveAnswers } from './serve.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as DataOptions
const { batchSize, workers, task } = options
const chain = transforms.chains[options.transforms] as transforms.Chain

const dataset = await open(options)
const loader = createLoader(dataset, {
  transforms: chain({ train: true }),
  batchSize,
  shuffle: true,
  workers,
  reuseMemory: true,
})
let epoch = 0

async function load(): Promise<object> {
  let images = 0
  for await (const { labels } of loader.batches({ epoch: epoch++ })) images += labels.length
  if (images !== dataset.length) throw new Error(`An epoch had ${images} images; expected ${dataset.length}.`)
  return {}
}

async function prepareTraining(): Promise<() => Promise<object>> {
  await useBackend('native')
  setThreads(options.threads)
  const model = new ViTForImageClassification(namedConfig('vit-tiny-patch4-32', { numLabels: 10 }), { seed: 1 })
  const optimizer = createOptimizer('adamw', model.parameters(), { lr: 1e-5 })
  const batches = endlessly()
  return async () => {
    const start = performance.now()
    const batch = (await batches.next()).value as Batch
    const waiting = performance.now() - start
    const { loss } = await trainStep(model, optimizer, batch, { seed: 1 })
    return { waiting, loss }
  }
}

async function* endlessly(): AsyncGenerator<Batch> {
  for (;;) yield* loader.batches({ epoch: epoch++ })
}

async function check(): Promise<CheckedImages> {
  const first = subset(dataset, [0, 1, 2, 3, 4, 5, 6, 7])
  const evaluation = createLoader(first, { transforms: chain({ train: false }), batchSize: first.length })
  const { value } = await evaluation.batches().next()
  const { data } = (value as Batch).pixelValues
  const size = data.length / first.length
  const meanOf = (_: unknown, i: number): number =>
    data.subarray(i * size, (i + 1) * size).reduce((sum, pixel) => sum + pixel, 0) / size
  return { means: Array.from({ length: first.length }, meanOf) }
}

async function open({ images, folder, count }: DataOptions): Promise<Dataset> {
  const whole =
    images === 'cifar10'
      ? await openCifar10(folder, { split: 'train' })
      : await openImageFolder(folder, { split: 'train', fractions: { validation: 0, test: 0 } })
  return subset(
    whole,
    Array.from({ length: count }, (_, i) => i),
  )
}

await serveAnswers('Vitral', { check, run: task === 'load' ? load : await prepareTraining() })
