import { createLoader, memoryDataset, transforms } from '@vitral/datasets'
import { classify } from './classify.js'

/** Pixels of a batch that a worker makes. */
async function loadInWorker() {
  const image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 51, 102, 153, 204, 255) }
  const dataset = await memoryDataset([{ image, label: 0 }], ['cat'])
  const loader = createLoader(dataset, { batchSize: 1, workers: 1, transforms: [transforms.toTensor()] })
  try {
    for await (const { pixelValues } of loader.batches()) return [...pixelValues.data]
  } finally {
    await loader.close()
  }
}

const result = { ...(await classify('auto')), loaded: await loadInWorker() }
document.querySelector('output').textContent = JSON.stringify(result)
