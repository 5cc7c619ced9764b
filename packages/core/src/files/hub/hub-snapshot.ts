/** A repository of the hub as a folder: downloaded into Hugging Face's cache, or found there. */
import { disk } from '#platform'
import { printable } from '../../text.ts'
import { readJson } from '../json-file.ts'
import { readModelConfig } from '../model-folder.ts'
import { hasAllWeights, shardNames } from '../weight-files.ts'
import type { HubOptions } from './hub.ts'
import { hubEnvironment, RepositoryCache } from './hub-cache.ts'
import { describeFile, downloadFile } from './hub-download.ts'
import { HubUnavailableError } from './hub-request.ts'
import { requireToken, trimToken } from './hub-token.ts'

const INDEX = 'model.safetensors.index.json'

/**
 * Downloads what of a repository a model is, unless the cache has it.
 *
 * @returns the snapshot's folder in the cache
 */
export async function downloadSnapshot(
  id: string,
  { revision = 'main', cacheFolder, token, onProgress, onWarning = console.warn, maxBytes }: HubOptions,
): Promise<string> {
  if (!/^\w[\w.+/-]*$/.test(revision) || revision.includes('..'))
    throw new Error(`revision is '${revision}'; expected the name of a branch or tag, or a commit.`)
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
  const path = disk.join(snapshot, INDEX)
  for (const shard of new Set(shardNames(await readJson(path), path).values()))
    if (!(await fetchFile(shard))) throw new Error(`${id} lacks ${shard}, which its index lists.`)
}

/** Whether a snapshot in the cache has all that a model needs: an interrupted download has not. */
async function isComplete(snapshot: string): Promise<boolean> {
  return (await disk.exists(disk.join(snapshot, 'config.json'))) && (await hasAllWeights(snapshot))
}
