/** A model's folder: a path as it is, or a hub id downloaded into Hugging Face's cache. */

import { printable } from '../../text.ts'
import { readJson } from '../json-file.ts'
import { readModelConfig } from '../model-folder.ts'
import { hasAllWeights, shardNames } from '../weight-files.ts'
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

const INDEX = 'model.safetensors.index.json'

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
  const { existsSync } = await import('node:fs')
  if (existsSync(folderOrHubId)) return folderOrHubId
  if (!/^[\w][\w.-]*\/[\w][\w.-]*$/.test(folderOrHubId) || folderOrHubId.includes('..'))
    throw new Error(
      `'${folderOrHubId}' is neither a folder that exists nor a hub id such as google/vit-base-patch16-224.`,
    )
  return download(folderOrHubId, options)
}

async function download(
  id: string,
  { revision = 'main', cacheFolder, token, onProgress, onWarning = console.warn, maxBytes }: HubOptions,
): Promise<string> {
  if (!/^\w[\w.+/-]*$/.test(revision) || revision.includes('..'))
    throw new Error(`revision is '${revision}'; expected the name of a branch or tag, or a commit.`)
  const { hubEnvironment, RepositoryCache } = await import('./hub-cache.ts')
  const { requireToken, trimToken } = await import('./hub-token.ts')
  const { describeFile, downloadFile } = await import('./hub-download.ts')
  const { HubUnavailableError } = await import('./hub-request.ts')
  const given = trimToken(token)
  const environment = {
    ...hubEnvironment(),
    ...(cacheFolder && { cacheFolder }),
    ...(given && { token: given }),
    ...(maxBytes && { maxBytes }),
  }
  if (environment.token) requireToken(environment.token)
  const cache = new RepositoryCache(environment.cacheFolder, id)
  const fromCache = async (reason: string): Promise<string> => {
    const commit = await cache.knownCommit(revision)
    if (commit && (await isComplete(cache.snapshot(commit)))) return cache.snapshot(commit)
    throw new Error(`${reason} The cache ${environment.cacheFolder} does not have ${id} either.`)
  }
  const useCache = async (reason: string): Promise<string> => {
    const folder = await fromCache(reason)
    onWarning(printable(`${reason} Using the copy in the cache, ${folder}.`)) // the reason quotes the hub
    return folder
  }
  if (environment.offline) return fromCache('HF_HUB_OFFLINE is set, so the hub is not asked.')

  let announced = 0
  const fetchFile = async (file: string, at: string): Promise<string | undefined> => {
    const remote = await describeFile(environment, id, at, file)
    announced += remote?.size ?? 0
    requireSize(id, file, { size: remote?.size ?? 0, announced, maxBytes: environment.maxBytes })
    if (remote) await downloadFile(environment, cache, remote, onProgress)
    return remote?.commit
  }
  try {
    const commit = await fetchFile('config.json', revision)
    if (!commit) throw new Error(`${id} has no config.json; it is not a transformers model.`)
    await readModelConfig(cache.snapshot(commit)) // what describes no ViT needs no weights
    if (!(await fetchFile('preprocessor_config.json', commit))) await fetchFile('processor_config.json', commit)
    if (!(await fetchFile('model.safetensors', commit)))
      await fetchShards(cache.snapshot(commit), id, file => fetchFile(file, commit))
    await cache.setCommit(revision, commit)
    return cache.snapshot(commit)
  } catch (error) {
    if (error instanceof HubUnavailableError) return useCache(error.message)
    throw error
  }
}

/** Most bytes of a file that is not weights. */
const mostJsonBytes = 64 * 2 ** 20

function requireSize(
  id: string,
  file: string,
  { size, announced, maxBytes }: { size: number; announced: number; maxBytes: number },
): void {
  const [given, most] = file.endsWith('.json') ? [size, Math.min(mostJsonBytes, maxBytes)] : [announced, maxBytes]
  if (given <= most) return
  const [bytes, limit] = [given, most].map(count => count.toLocaleString('en-US'))
  throw new Error(
    file.endsWith('.json')
      ? `${file} of ${id} has ${bytes} bytes; expected at most ${limit}.`
      : `${id} has ${bytes} bytes up to ${file}; expected at most ${limit}. If that is its size, set VITRAL_HUB_MAX_BYTES to it.`,
  )
}

async function fetchShards(
  snapshot: string,
  id: string,
  fetchFile: (file: string) => Promise<string | undefined>,
): Promise<void> {
  if (!(await fetchFile(INDEX)))
    throw new Error(`${id} has no safetensors; convert it with Python's transformers: model.save_pretrained(folder).`)
  const { join } = await import('node:path')
  const path = join(snapshot, INDEX)
  for (const shard of new Set(shardNames(await readJson(path), path).values()))
    if (!(await fetchFile(shard))) throw new Error(`${id} lacks ${shard}, which its index lists.`)
}

/** Whether a snapshot in the cache has all that a model needs: an interrupted download has not. */
async function isComplete(snapshot: string): Promise<boolean> {
  const { existsSync } = await import('node:fs')
  const { join } = await import('node:path')
  return existsSync(join(snapshot, 'config.json')) && (await hasAllWeights(snapshot))
}
