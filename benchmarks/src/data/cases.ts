/** What is measured of loading images. */
import type { ContestantName } from '../contestants.ts'
import type { ImageSet } from './protocol.ts'

export interface DataCase {
  summary: string
  images: ImageSet
  /** Name of the chain: the images of its evaluation part must agree, its training part is timed. */
  transforms: string
  batchSize: number
  workers: number
  /** Load an epoch, or train one step on a batch that is loaded for it. */
  task: 'load' | 'train'
  contestants: readonly ContestantName[]
  rounds: number
}

export const dataCases: Readonly<Record<string, DataCase>> = {
  'load-cifar10-article': {
    summary: "An epoch of 512 CIFAR-10 images through the article's training chain to 224×224, 2 workers",
    images: 'cifar10',
    transforms: 'article-from-scratch',
    batchSize: 64,
    workers: 2,
    task: 'load',
    contestants: ['vitral-loader', 'torchvision'],
    rounds: 5,
  },
  'load-photos': {
    summary: 'An epoch of 256 JPEG photos of 500×375, decoded, resized to 224×224, flipped and normalised, 2 workers',
    images: 'photos',
    transforms: 'article-fine-tune',
    batchSize: 64,
    workers: 2,
    task: 'load',
    contestants: ['vitral-loader', 'torchvision'],
    rounds: 5,
  },
  'loader-share': {
    summary: 'A training step of ViT-Ti/4 at 32×32 on a batch that is loaded for it: crops and flips, no workers',
    images: 'cifar10',
    transforms: 'cifar-32',
    batchSize: 64,
    workers: 0,
    task: 'train',
    contestants: ['vitral-loader'],
    rounds: 5,
  },
}
