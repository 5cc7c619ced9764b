/** Whole chains of transforms by name, each with a part for training and one for evaluation. */
import type { Transform } from '../types.ts'
import { colorJitter } from './color-jitter.ts'
import { normalize } from './normalize.ts'
import { randomCrop } from './random-crop.ts'
import { randomHorizontalFlip } from './random-horizontal-flip.ts'
import { randomRotation } from './random-rotation.ts'
import { resize } from './resize.ts'
import { toTensor } from './to-tensor.ts'

export interface ChainOptions {
  /** With augmentation, or without for evaluation. */
  train: boolean
  /** Height and width to resize to, of a chain that resizes. @default [224, 224] */
  size?: readonly [height: number, width: number]
}

export type Chain = (options: ChainOptions) => Transform[]

/** Mean and standard deviation of CIFAR-10's training images. */
export const cifar10Mean: readonly number[] = [0.4914, 0.4822, 0.4465]
export const cifar10Std: readonly number[] = [0.2023, 0.1994, 0.201]

/** What the pre-trained ViT's own image processor uses: bytes become −1 to 1. */
const half = [0.5, 0.5, 0.5]

/** What ViTs are usually pre-trained on. */
const usual = [224, 224] as const

/** The article's fine-tuning: 224×224, as the pre-trained model saw its images, and mirrored ones. */
export function articleFineTune({ train, size = usual }: ChainOptions): Transform[] {
  return [resize(size), ...(train ? [randomHorizontalFlip()] : []), toTensor(), normalize(half, half)]
}

/** The article's training from scratch: 224×224 with all its augmentation. */
export function articleFromScratch({ train, size = usual }: ChainOptions): Transform[] {
  if (!train) return [resize(size), toTensor(), normalize(cifar10Mean, cifar10Std)]
  return [
    randomCrop(32, { padding: 4 }),
    resize(size),
    randomHorizontalFlip(),
    randomRotation(15),
    colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }),
    toTensor(),
    normalize(cifar10Mean, cifar10Std),
  ]
}

/** CIFAR-10 at its own size, for small models: crops and flips. */
export function cifar32({ train }: ChainOptions): Transform[] {
  const augmentation = train ? [randomCrop(32, { padding: 4 }), randomHorizontalFlip()] : []
  return [...augmentation, toTensor(), normalize(cifar10Mean, cifar10Std)]
}

/** The same with flips alone: a run of a few epochs is too short to over-fit, and learns faster from whole images. */
export function cifar32Flip({ train }: ChainOptions): Transform[] {
  return [...(train ? [randomHorizontalFlip()] : []), toTensor(), normalize(cifar10Mean, cifar10Std)]
}

/** For recipes and command lines. */
export const chains: Readonly<Record<string, Chain>> = {
  'article-fine-tune': articleFineTune,
  'article-from-scratch': articleFromScratch,
  'cifar-32': cifar32,
  'cifar-32-flip': cifar32Flip,
}
