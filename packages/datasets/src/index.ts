/** The public names of @vitral/datasets. */

export { findClass, similarClasses } from './class-names.ts'
export { BrokenImageError, type BrokenImageReason, UnreadableImageError } from './decode/broken-image.ts'
export { type ImageFormat, type ImageHeader, readImageHeader } from './decode/image-header.ts'
export { type DecodeOptions, decodeImage, type ImageSource } from './decode.ts'
export type { BrokenImageOptions } from './decode-or-skip.ts'
export type { DownloadProgress } from './download/download-file.ts'
export { type EncodePictureOptions, encodePicture } from './encode-picture.ts'
export { pathIn, pathOnDisk, textOfName } from './file-names.ts'
export * as functional from './functional/index.ts'
export { usesNativeImages } from './functional/kernels/kernels.ts'
export { type ImageFile, type ImageFileDataset, imageFiles } from './image-files.ts'
export { chooseExamples } from './inspect/choose-examples.ts'
export { type ContactSheetOptions, contactSheet, mostSheetRows } from './inspect/contact-sheet.ts'
export { findDuplicates, type Place } from './inspect/find-duplicates.ts'
export { type Inspection, type InspectOptions, inspectDataset } from './inspect/inspect-dataset.ts'
export { createLoader, type EpochOptions, type Loader, type LoaderOptions } from './loader/loader.ts'
export type { LoaderPlan, LoaderState } from './loader/plan.ts'
export { type MemoryExample, memoryDataset } from './memory-dataset.ts'
export { type PackedImages, packedDataset } from './packed-dataset.ts'
export { Random } from './random.ts'
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
export { selectClasses } from './select-classes.ts'
export { SkippedExample } from './skipped-example.ts'
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
export { subset } from './subset.ts'
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
