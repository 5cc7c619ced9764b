// Trains a model from a seed on images that the page draws, stops in the middle, goes on, and looks at what there is then.
import { imageBlobs } from '@vitral/datasets'
import { defineRecipe } from '@vitral/trainer'
import { hasRun, removeRun, trainInWorker, zipFolder } from '@vitral/trainer/browser'

const out = 'runs/colours'

const recipe = defineRecipe({
  model: {
    config: {
      imageSize: 16,
      patchSize: 8,
      hiddenSize: 16,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      intermediateSize: 32,
    },
  },
  dataset: 'folder',
  transforms: 'article-fine-tune',
  batchSize: 4,
  epochs: 6,
  optimizer: { name: 'adamw', lr: 0.01 },
})

async function draw(name, colour) {
  const canvas = new OffscreenCanvas(20, 20)
  const context = canvas.getContext('2d')
  context.fillStyle = colour
  context.fillRect(0, 0, 20, 20)
  return new File([await canvas.convertToBlob()], name)
}

const numbers = Array.from({ length: 8 }, (_, i) => i)
const data = imageBlobs({
  red: await Promise.all(numbers.map(i => draw(`${i}.png`, `rgb(${200 + i} 10 10)`))),
  blue: await Promise.all(numbers.map(i => draw(`${i}.png`, `rgb(10 10 ${200 + i})`))),
})

await removeRun(out)
const worker = new Worker(new URL('./train.worker.js', import.meta.url), { type: 'module' })
const started = []

/** Trains to the end, or up to a step. */
async function train(lastStep) {
  const training = trainInWorker(worker, {
    ...{ recipe, data, out, backend: 'cpu', workers: 1 },
    resume: await hasRun(out),
    onStart: ({ step }) => started.push(step),
    onStep: ({ step }) => step === lastStep && training.stop(),
  })
  return training.done
}

const stopped = await train(6)
const { finished, best } = await train()
const zip = await zipFolder(`${out}/best`)
const result = { stopped: stopped.finished, started: started.map(step => step >= 6), finished, accuracy: best.accuracy }
document.querySelector('output').textContent = JSON.stringify({ ...result, zipped: zip.size > 10_000 })
