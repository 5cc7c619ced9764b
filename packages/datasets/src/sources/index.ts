/** Folders and lists of images in detail, in Node and Bun: splits, names of classes and files, and what is left out. */
export { findClass, similarClasses } from '../datasets/class-names.ts'
export type { DownloadProgress } from '../download/download-file.ts'
export { pathIn, pathOnDisk, textOfName } from '../files/file-names.ts'
export type { Cifar10Options, Cifar100Options } from './cifar.ts'
export type { DownloadDatasetOptions } from './download-cifar.ts'
export type { IdxFiles } from './idx.ts'
export {
  type ImageFolderDataset,
  type ImageFolderOptions,
  imageFolderOwnSplits,
  imageFolderSplits,
} from './image-folder.ts'
export { countLeftOut, type LeftOutCount, type LeftOutFile } from './left-out.ts'
export { type ImageList, listImages } from './list-images.ts'
export { type ManifestOptions, manifestOwnSplits, manifestSplits } from './manifest.ts'
export type { MnistOptions } from './mnist.ts'
export {
  type Split,
  type SplitChoice,
  type SplitOptions,
  type StratifiedSplitOptions,
  splitChoices,
  splits,
} from './split.ts'
export { splitNamed } from './split-names.ts'
