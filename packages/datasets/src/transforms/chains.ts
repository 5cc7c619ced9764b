/** Whole chains of transforms by name, each with a part for training and one for evaluation. */
import type { ResizeOptions } from '../functional/geometry.ts'
import type { Transform } from '../types.ts'
import { colorJitter } from './color/color-jitter.ts'
import { randomCrop } from './geometry/random-crop.ts'
import { randomHorizontalFlip } from './geometry/random-horizontal-flip.ts'
import { randomRotation } from './geometry/random-rotation.ts'
import { resize } from './geometry/resize.ts'
import { normalize } from './normalize.ts'
import { toTensor } from './to-tensor.ts'

/** Settings of a named chain. */
export interface ChainOptions {
  /** With augmentation, or without for evaluation. */
  train: boolean
  /** Height and width to resize to, of a chain that resizes. @default [224, 224] */
  size?: readonly [height: number, width: number]
  /** How it resizes, of a chain that does. @default 'bilinear' */
  interpolation?: ResizeOptions['interpolation']
  /** To normalize by, of each channel, such as a pretrained model's. @default the chain's own */
  mean?: readonly number[]
  /** Standard deviation of each channel. */
  std?: readonly number[]
}

/** A named chain of transforms, for training or for evaluation. */
export type Chain = (options: ChainOptions) => Transform[]

/** Mean of each channel of CIFAR-10's training images, as a share of 255. */
export const cifar10Mean: readonly number[] = [0.4914, 0.4822, 0.4465]
/** Standard deviation of each channel of CIFAR-10's training images, as a share of 255. */
export const cifar10Std: readonly number[] = [0.2023, 0.1994, 0.201]

/** What the pre-trained ViT's own image processor uses: bytes become −1 to 1. */
const half = [0.5, 0.5, 0.5]

/** What ViTs are usually pre-trained on. */
const usual = [224, 224] as const

/** The article's fine-tuning: 224×224, as the pre-trained model saw its images, and mirrored ones. */
export function articleFineTune({ train, mean = half, std = half, ...options }: ChainOptions): Transform[] {
  return [resized(options), ...(train ? [randomHorizontalFlip()] : []), toTensor(), normalize(mean, std)]
}

/** The article's training from scratch: 224×224 with all its augmentation. */
export function articleFromScratch({
  train,
  mean = cifar10Mean,
  std = cifar10Std,
  ...options
}: ChainOptions): Transform[] {
  if (!train) return [resized(options), toTensor(), normalize(mean, std)]
  return [
    randomCrop(32, { padding: 4 }),
    resized(options),
    randomHorizontalFlip(),
    randomRotation(15),
    colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 }),
    toTensor(),
    normalize(mean, std),
  ]
}

/** CIFAR-10 at its own size, for small models: crops and flips. */
export function cifar32({ train, mean = cifar10Mean, std = cifar10Std }: ChainOptions): Transform[] {
  const augmentation = train ? [randomCrop(32, { padding: 4 }), randomHorizontalFlip()] : []
  return [...augmentation, toTensor(), normalize(mean, std)]
}

/** The same with flips alone: a run of a few epochs is too short to over-fit, and learns faster from whole images. */
export function cifar32Flip({ train, mean = cifar10Mean, std = cifar10Std }: ChainOptions): Transform[] {
  return [...(train ? [randomHorizontalFlip()] : []), toTensor(), normalize(mean, std)]
}

const resized = ({ size = usual, interpolation }: Pick<ChainOptions, 'size' | 'interpolation'>): Transform =>
  interpolation ? resize(size, { interpolation }) : resize(size)

/** For recipes and command lines. */
export const chains: Readonly<Record<string, Chain>> = {
  'article-fine-tune': articleFineTune,
  'article-from-scratch': articleFromScratch,
  'cifar-32': cifar32,
  'cifar-32-flip': cifar32Flip,
}
