/** The public names of @vitral/datasets. */

export { findClass, similarClasses } from './datasets/class-names.ts'
export { type ImageFile, type ImageFileDataset, imageFiles } from './datasets/image-files.ts'
export { type MemoryExample, memoryDataset } from './datasets/memory-dataset.ts'
export { type PackedImages, packedDataset } from './datasets/packed-dataset.ts'
export { selectClasses } from './datasets/select-classes.ts'
export { subset } from './datasets/subset.ts'
export type { DownloadProgress } from './download/download-file.ts'
export { pathIn, pathOnDisk, textOfName } from './files/file-names.ts'
export * as functional from './functional/index.ts'
export { usesNativeImages } from './functional/kernels/kernels.ts'
export { BrokenImageError, type BrokenImageReason, UnreadableImageError } from './images/broken-image.ts'
export { type DecodeOptions, decodeImage, type ImageSource } from './images/decode-image.ts'
export type { BrokenImageOptions } from './images/decode-or-skip.ts'
export { type EncodePictureOptions, encodePicture } from './images/encode-picture.ts'
export { type ImageFormat, type ImageHeader, readImageHeader } from './images/image-header.ts'
export { SkippedExample } from './images/skipped-example.ts'
export { chooseExamples } from './inspect/choose-examples.ts'
export { type ContactSheetOptions, contactSheet, mostSheetRows } from './inspect/contact-sheet.ts'
export { findDuplicates, type Place } from './inspect/find-duplicates.ts'
export { type Inspection, type InspectOptions, inspectDataset } from './inspect/inspect-dataset.ts'
export { createLoader, type EpochOptions, type Loader, type LoaderOptions } from './loader/loader.ts'
export type { LoaderPlan, LoaderState } from './loader/plan.ts'
export { Random } from './random/random.ts'
export {
  classBalancedSampler,
  type DistributedSampler,
  type DistributedSamplerOptions,
  distributedSampler,
  type Order,
  type RepeatedAugmentationOptions,
  type Replicas,
  repeatedAugmentationSampler,
  type Sampler,
  sequentialSampler,
  shuffledSampler,
  type WeightedSamplerOptions,
  weightedSampler,
} from './samplers/index.ts'
export { type Cifar10Options, type Cifar100Options, openCifar10, openCifar100 } from './sources/cifar.ts'
export { type DownloadDatasetOptions, downloadCifar10, downloadCifar100 } from './sources/download-cifar.ts'
export { type IdxFiles, openIdx } from './sources/idx.ts'
export {
  type ImageFolderDataset,
  type ImageFolderOptions,
  imageFolderOwnSplits,
  imageFolderSplits,
  openImageFolder,
} from './sources/image-folder.ts'
export { countLeftOut, type LeftOutCount, type LeftOutFile } from './sources/left-out.ts'
export { type ImageList, listImages } from './sources/list-images.ts'
export { type ManifestOptions, manifestOwnSplits, manifestSplits, openManifest } from './sources/manifest.ts'
export {
  downloadFashionMnist,
  downloadMnist,
  type MnistOptions,
  openFashionMnist,
  openMnist,
} from './sources/mnist.ts'
export {
  type Split,
  type SplitChoice,
  type SplitOptions,
  splitChoices,
  splits,
  stratifiedSplit,
} from './sources/split.ts'
export { splitNamed } from './sources/split-names.ts'
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
