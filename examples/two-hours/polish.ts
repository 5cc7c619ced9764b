/** The second part of two hours: six epochs more, of all training images, harder to recognise by AutoAugment. */
import { transforms } from '@vitral/datasets'
import { defineRecipe } from '@vitral/trainer'

const { autoAugment, randomCrop, randomHorizontalFlip } = transforms
const toPixelValues = transforms.cifar32({ train: false })

export default defineRecipe({
  model: { pretrained: 'runs/two-hours/train/best' },
  dataset: 'cifar10',
  validation: 'test',
  transforms: {
    train: [
      randomCrop(32, { padding: 4 }),
      randomHorizontalFlip(),
      autoAugment({ policy: 'cifar10' }),
      ...toPixelValues,
    ],
    evaluation: toPixelValues,
  },
  batchSize: 64,
  epochs: 6,
  optimizer: { name: 'adamw', lr: 4e-4, weightDecay: 0.05 },
  schedule: { name: 'cosine', warmupEpochs: 0.2 },
  loss: { name: 'cross-entropy', labelSmoothing: 0.1 },
  clipGradNorm: 1,
  precision: 'bfloat16',
})
