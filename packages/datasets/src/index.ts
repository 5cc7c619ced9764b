/**
 * What most users of @vitral/datasets need: data sets, decoding and the loader. The rest has subpaths: `/transforms`,
 * `/functional`, `/samplers`, `/images`, `/sources` and `/inspect`.
 */

export { type BlobsByClass, imageBlobs } from './datasets/image-blobs.ts'
export { type ImageFile, type ImageFileDataset, imageFiles, type LabelledImage } from './datasets/image-files.ts'
export { type MemoryExample, memoryDataset } from './datasets/memory-dataset.ts'
export { openSource } from './datasets/open-source.ts'
export { type PackedImages, packedDataset } from './datasets/packed-dataset.ts'
export { selectClasses } from './datasets/select-classes.ts'
export { subset } from './datasets/subset.ts'
/** Image functions with PIL's and torchvision's results. */
export * as functional from './functional/index.ts'
export { BrokenImageError, UnreadableImageError } from './images/broken-image.ts'
export { decodeImage } from './images/decode-image.ts'
export { SkippedExample } from './images/skipped-example.ts'
export { createLoader, type EpochOptions, type Loader, type LoaderOptions } from './loader/loader.ts'
export type { LoaderPlan, LoaderState } from './loader/plan.ts'
export { Random } from './random/random.ts'
export { openCifar10, openCifar100 } from './sources/cifar.ts'
export { downloadCifar10, downloadCifar100 } from './sources/download-cifar.ts'
export { openIdx } from './sources/idx.ts'
export { openImageFolder } from './sources/image-folder.ts'
export { openManifest } from './sources/manifest.ts'
export { downloadFashionMnist, downloadMnist, openFashionMnist, openMnist } from './sources/mnist.ts'
export { stratifiedSplit } from './sources/split.ts'
/** Transforms of images and batches, by torchvision's names. */
export * as transforms from './transforms/index.ts'
export type {
  Batch,
  BatchTransform,
  Dataset,
  DatasetSource,
  Example,
  ImageTensor,
  ModuleExport,
  RawImage,
  Sample,
  Transform,
  TransformSpec,
} from './types.ts'
