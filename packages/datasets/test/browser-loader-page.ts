/** What runs in the browser: the test asks it for the batches of an epoch. */
import { createLoader, imageFiles, memoryDataset, transforms } from '../src/browser.ts'
import { madeUpImages } from './made-up-images.ts'

export interface PageBatch {
  data: number[]
  labels: number[]
  shared: boolean
}

async function batches(workers: number, reuseMemory: boolean): Promise<PageBatch[]> {
  const dataset = await memoryDataset(madeUpImages(), ['a', 'b'])
  const chain = [transforms.randomCrop(8, { padding: 2 }), transforms.randomHorizontalFlip(), transforms.toTensor()]
  const loader = createLoader(dataset, {
    transforms: chain,
    batchSize: 4,
    shuffle: true,
    seed: 3,
    workers,
    reuseMemory,
    timeoutSeconds: 20,
  })
  const made: PageBatch[] = []
  try {
    for await (const { pixelValues, labels } of loader.batches({ epoch: 2 })) {
      const shared = !(pixelValues.data.buffer instanceof ArrayBuffer)
      made.push({ data: [...pixelValues.data], labels: [...labels], shared })
    }
  } finally {
    await loader.close()
  }
  return made
}

/** Batches of image files by relative addresses, made brighter by a module of the user's. */
async function fileBatches(workers: number): Promise<PageBatch[]> {
  const files = ['colour.png', 'grey.png'].map((name, label) => ({ path: name, label }))
  const module = new URL('/user-module.js', location.href).href
  const { brighten } = (await import(module)) as typeof import('./user-module.ts')
  const chain = [brighten(20), transforms.toTensor()]
  const dataset = imageFiles(files, ['a', 'b'])
  const loader = createLoader(dataset, { transforms: chain, batchSize: 2, seed: 3, workers, timeoutSeconds: 20 })
  const made: PageBatch[] = []
  for await (const { pixelValues, labels } of loader.batches())
    made.push({ data: [...pixelValues.data], labels: [...labels], shared: false })
  await loader.close()
  return made
}

Object.assign(globalThis, { batches, fileBatches })
