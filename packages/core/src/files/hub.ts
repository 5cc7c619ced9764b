/** A model's folder: a path as it is, or a hub id downloaded into Hugging Face's cache. */
import type { DownloadProgress } from './hub-download.ts'
import { readJson, shardNames } from './model-folder.ts'

export interface HubOptions {
  /** Branch, tag or commit. @default 'main' */
  revision?: string
  /** Where downloads are kept. @default HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub */
  cacheFolder?: string
  /** For private and gated models. @default HF_TOKEN, else the token that `hf auth login` stored */
  token?: string
  /** Told as a file arrives. */
  onProgress?: (progress: DownloadProgress) => void
}

const INDEX = 'model.safetensors.index.json'

/**
 * The folder of a model. A hub id is downloaded (config.json, preprocessor_config.json, the safetensors), verified by
 * its checksums, and kept in the cache that Python uses too. HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and
 * HF_HUB_OFFLINE are honoured. When the hub cannot be reached, what the cache has is used.
 *
 * @param folderOrHubId a path, or `owner/name`
 * @throws when it is neither, when the hub refuses, and when it cannot be reached and the cache is empty
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
  { revision = 'main', cacheFolder, token, onProgress }: HubOptions,
): Promise<string> {
  if (!/^\w[\w.+/-]*$/.test(revision) || revision.includes('..'))
    throw new Error(`revision is '${revision}'; expected the name of a branch or tag, or a commit.`)
  const { hubEnvironment, RepositoryCache } = await import('./hub-cache.ts')
  const { requireToken, trimToken } = await import('./hub-token.ts')
  const { describeFile, downloadFile } = await import('./hub-download.ts')
  const { HubUnreachableError } = await import('./hub-request.ts')
  const given = trimToken(token)
  const environment = { ...hubEnvironment(), ...(cacheFolder && { cacheFolder }), ...(given && { token: given }) }
  if (environment.token) requireToken(environment.token)
  const cache = new RepositoryCache(environment.cacheFolder, id)
  const fromCache = async (reason: string): Promise<string> => {
    const commit = await cache.knownCommit(revision)
    if (commit && (await isComplete(cache.snapshot(commit)))) return cache.snapshot(commit)
    throw new Error(`${reason} The cache ${environment.cacheFolder} does not have ${id} either.`)
  }
  if (environment.offline) return fromCache('HF_HUB_OFFLINE is set, so the hub is not asked.')

  const fetchFile = async (file: string, at: string): Promise<string | undefined> => {
    const remote = await describeFile(environment, id, at, file)
    if (remote) await downloadFile(environment, cache, remote, onProgress)
    return remote?.commit
  }
  try {
    const commit = await fetchFile('config.json', revision)
    if (!commit) throw new Error(`${id} has no config.json; it is not a transformers model.`)
    await fetchFile('preprocessor_config.json', commit)
    if (!(await fetchFile('model.safetensors', commit)))
      await fetchShards(cache.snapshot(commit), id, file => fetchFile(file, commit))
    await cache.setCommit(revision, commit)
    return cache.snapshot(commit)
  } catch (error) {
    if (error instanceof HubUnreachableError) return fromCache(error.message)
    throw error
  }
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
  const has = (file: string): boolean => existsSync(join(snapshot, file))
  if (!has('config.json')) return false
  if (has('model.safetensors')) return true
  return has(INDEX) && [...shardNames(await readJson(join(snapshot, INDEX)), INDEX).values()].every(has)
}
