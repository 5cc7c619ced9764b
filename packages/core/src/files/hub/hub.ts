/** A model's folder: a path as it is, or a hub id downloaded into Hugging Face's cache. */

import { downloadSnapshot } from '#hub-snapshot'
import { disk } from '#platform'
import type { DownloadProgress } from './hub-download.ts'

export interface HubOptions {
  /** Branch, tag or commit. @default 'main' */
  revision?: string
  /** Where downloads are kept. @default HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub */
  cacheFolder?: string
  /** For private and gated models. @default HF_TOKEN, else the token that `hf auth login` stored */
  token?: string
  /** Called as a file arrives. */
  onProgress?: (progress: DownloadProgress) => void
  /** Called with one line that says why the hub could not be used, when the cache's copy is taken instead. @default console.warn */
  onWarning?: (message: string) => void
  /** Most bytes that the files of the model may have together. @default VITRAL_HUB_MAX_BYTES, else 64 GiB */
  maxBytes?: number
}

/**
 * The folder of a model. A hub id is downloaded (config.json, preprocessor_config.json, the safetensors), verified by
 * its checksums, and kept in the cache that Python uses too; a configuration that describes no ViT is refused before the
 * weights are downloaded. HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE are honoured, and HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY. When the hub cannot be reached, is overloaded (429) or fails (5xx), what the cache has is used.
 *
 * @param folderOrHubId a path, or `owner/name`
 * @throws when it is neither, when the hub refuses, when it is of no use and the cache is empty, and when it announces or
 * sends more than it may
 */
export async function resolveModel(folderOrHubId: string, options: HubOptions = {}): Promise<string> {
  if (await disk.exists(folderOrHubId)) return folderOrHubId
  if (!/^[\w][\w.-]*\/[\w][\w.-]*$/.test(folderOrHubId) || folderOrHubId.includes('..'))
    throw new Error(
      `'${folderOrHubId}' is neither a folder that exists nor a hub id such as google/vit-base-patch16-224.`,
    )
  return downloadSnapshot(folderOrHubId, options)
}
