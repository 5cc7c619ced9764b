/** What a contestant is given that loads images; for the rest of the protocol see ../protocol.ts. */

export type ImageSet = 'cifar10' | 'photos'

export interface DataOptions {
  images: ImageSet
  /** CIFAR-10's binary folder, or one with a folder of JPEG files for each class. */
  folder: string
  /** How many of them make an epoch. */
  count: number
  transforms: string
  batchSize: number
  workers: number
  task: 'load' | 'train'
  /** For computing; the workers come on top. */
  threads: number
}

/** The answer to `check`. */
export interface CheckedImages {
  /** Mean of each of the first eight images, as evaluation prepares them. */
  means: number[]
}
