/** Files in detail: safetensors, their dtypes, and files that are replaced whole. No tensors; TensorFlow.js stays out. */
import { disk as platformDisk } from '#platform'
import type { Disk } from './disk/disk.ts'

/** Files of this machine, in browsers of the page's own storage. */
export const disk: Disk = platformDisk // declared here: a user's compiler would follow `#platform` into the sources

export { describesClassifier } from '../vit/pretrained/config-json.ts'
export { writeFileAtomic } from './atomic-write.ts'
export type { Disk, OpenFile } from './disk/disk.ts'
export { describeValue } from './fields.ts'
export { resolveModel } from './hub/hub.ts'
export type { DownloadProgress } from './hub/receive.ts'
export { readModelConfig } from './read-model-config.ts'
export { type Dtype, type DtypeArray, toFloat32, type WeightDtype, weightDtypes } from './safetensors/dtypes.ts'
export { type SafeTensor, type Safetensors, serializeSafetensors } from './safetensors/safetensors.ts'
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors/safetensors-file.ts'
export { SafetensorsError } from './safetensors/safetensors-header.ts'
export { WriteError, writeError } from './write-error.ts'
