/** The data path, one type at each arrow: Dataset → Example → (transforms) → Batch. */
import type { RawImage } from '@vitral/core/image'
import type { Random } from './random/random.ts'
import type { LeftOutFile } from './sources/left-out.ts'

export type { RawImage }

/** An image and its label. */
export interface Example {
  /** May be a view into the data set's own memory: transforms make new images, they never write into one. */
  image: RawImage
  /** Index into the data set's classes; of a multi-label example the first of its labels, or -1 when it has none. */
  label: number
  /** All classes of a multi-label example, any number of them. */
  labels?: readonly number[]
}

/** A data set: any object with a length, classes and `get`. */
export interface Dataset {
  /** Number of examples. */
  readonly length: number
  /** Names, in the order of the labels. */
  readonly classes: readonly string[]
  /** Whether its examples have `labels`: classes that do not exclude each other. @default false */
  readonly multiLabel?: boolean
  /** Label of each example, where they are known without its image: for sampling and splitting by class. */
  readonly labels?: ArrayLike<number>
  /** Whether the images are pixels in memory already, so that a loader's cache would only hold them twice. */
  readonly inMemory?: boolean
  /**
   * Example `index`, from 0 to length − 1.
   *
   * @throws what ends the epoch, or a SkippedExample for one that is to be left out of its batch
   */
  get(index: number): Example | Promise<Example>
  /** What the user knows an example by, such as the path of its file: for messages. */
  nameOf?(index: number): string
  /**
   * What tells an example from the others of its class wherever the data lies, such as the path of its file below the
   * folder: by it a data set is divided, and known again when a run goes on. @default its index
   */
  keyOf?(index: number): string
  /** Files that lie where the data set does and are no part of it; `countLeftOut` counts them by reason. */
  readonly leftOut?: readonly LeftOutFile[]
  /** How a worker opens the same data again; without it the loader runs in the calling thread only. */
  readonly source?: DatasetSource
}

/** Where a function of the user's is, for workers, which import it. */
export interface ModuleExport {
  /** Address of the module, such as `import.meta.url` in itself, or `new URL('./my-data.js', import.meta.url).href`. */
  module: string
  /** Name of the module's export. @default 'default' */
  export?: string
}

/**
 * With what structured cloning can send to a worker: an entry of the table in dataset-sources.ts, or a user's function
 * that takes the params and returns the data set or a promise of it.
 */
export type DatasetSource = { name: string; params: unknown } | (ModuleExport & { params?: unknown })

/** Floats of an image, plane by plane. */
export interface ImageTensor {
  /** Values, row by row. */
  data: Float32Array
  /** [channels, height, width] */
  shape: [number, number, number]
}

/** What passes along a chain of transforms: bytes up to toTensor, floats after it. */
export type Sample = RawImage | ImageTensor

/** A transform as data: the name of its factory and the arguments that make it again in a worker. */
export interface TransformSpec extends Partial<ModuleExport> {
  /** Name of the transform. */
  name: string
  /** Arguments of the function of that name. */
  args: readonly unknown[]
}

/** A step of a chain, such as a crop, as data and a function. */
export interface Transform<In extends Sample = Sample, Out extends Sample = Sample> extends TransformSpec {
  /** Returns a new sample; all chance comes from `random`, so that equal seeds give equal results. */
  apply(sample: In, random: Random): Out
}

/** A transform of a whole batch, after those of its images. */
export interface BatchTransform extends TransformSpec {
  /**
   * May write into the batch's pixel values; all chance comes from `random`.
   *
   * @param numClasses K of the soft labels
   */
  apply(batch: Batch, random: Random, numClasses: number): Batch
}

/** A batch of prepared images and their labels. */
export interface Batch {
  /** [B, C, H, W], row-major. */
  pixelValues: { data: Float32Array; shape: [number, number, number, number] }
  /** [B], the examples' `label`; of a mixed image, that which it had before. */
  labels: Int32Array
  /** [B, K], the share of each class, after transforms that mix images; of multi-label examples 1 for each class they have. */
  softLabels?: { data: Float32Array; shape: [number, number] }
  /** [B], where in the data set each example is. */
  indices: Int32Array
  /** Examples that were to be in the batch and are left out, each with the reason; B counts the others. */
  skipped: { index: number; reason: string }[]
}
