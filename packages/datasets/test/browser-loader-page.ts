/** What runs in the browser: the test asks it for the batches of an epoch. */
import type { ImageSource } from '@vitral/core/image'
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

/** What a page may have an image as. */
export type ImageForm = 'address' | 'File' | 'ImageBitmap' | 'canvas'

async function formOf(name: string, form: ImageForm): Promise<ImageSource> {
  if (form === 'address') return name
  const file = new File([await (await fetch(name)).blob()], name)
  if (form === 'File') return file
  const bitmap = await createImageBitmap(file)
  if (form === 'ImageBitmap') return bitmap
  const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height })
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0)
  return canvas
}

/** Batches of images by relative addresses or in another form, made brighter by a module of the user's. */
async function fileBatches(workers: number, form: ImageForm): Promise<PageBatch[]> {
  const names = ['colour.png', 'grey.png']
  const files = await Promise.all(names.map(async (name, label) => ({ path: await formOf(name, form), label })))
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
