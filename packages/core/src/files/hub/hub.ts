/** From what a user calls a model, a path, an address or a hub id, to its folder. */

import { network } from '#network'
import { disk } from '#platform'
import { printable } from '../../text.ts'
import { isNumpyArchive, numpyFolder } from '../archives/numpy-weights.ts'
import type { OpenFile } from '../disk/disk.ts'
import { diskFolder, type Folder } from '../folder.ts'
import { openModelFolder } from '../model-folder.ts'
import { weightFileNames } from '../weight-files.ts'
import type { HubEnvironment } from './hub-environment.ts'
import { hubOrigin } from './hub-origin.ts'
import { HubUnavailableError } from './hub-request.ts'
import { trimToken } from './hub-token.ts'
import type { ModelStore } from './model-store.ts'
import type { Origin } from './origin.ts'
import { PartStore } from './part-store.ts'
import type { DownloadProgress } from './receive.ts'
import { rememberListing } from './remember-listing.ts'
import { RemoteFolder, storedFolder } from './remote-folder.ts'
import { urlOrigin } from './url-origin.ts'

/** Options of downloads from the Hugging Face hub. */
export interface HubOptions {
  /**
   * Branch, tag or commit of the hub. @default 'main'
   *
   * With an address: your name of the version that is there. What was kept under that name is used without asking the
   * server; without a name the server is asked each time whether its files have changed.
   */
  revision?: string
  /** Ends the download and the loading at once; what arrived is gone on with by the next. */
  signal?: AbortSignal
  /** The hub. @default HF_ENDPOINT, else https://huggingface.co */
  endpoint?: string
  /** Whether downloads are kept for the next time; if not, they stay in memory while the model is loaded. @default true */
  cache?: boolean
  /**
   * Where downloads are kept. @default HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub; in browsers 'vitral',
   * the name of a cache in Cache Storage
   */
  cacheFolder?: string
  /**
   * For private and gated models. It goes to the hub or to the host of the address, and to no other host that they
   * redirect to. @default for the hub HF_TOKEN, else the token that `hf auth login` stored; for addresses none
   */
  token?: string
  /** Called as a file arrives. */
  onProgress?: (progress: DownloadProgress) => void
  /** Called with one line that says why the server could not be used, when the cache's copy is taken instead. @default console.warn */
  onWarning?: (message: string) => void
  /** Most bytes that the files of the model may have together. @default VITRAL_HUB_MAX_BYTES, else 64 GiB */
  maxBytes?: number
}

/** What is read of a folder: all of a model, its image processor, or adapters. */
export type FolderPart = 'model' | 'processor' | 'adapters'

/** The files of adapters, as PEFT names them. */
export const adapterFiles = ['adapter_config.json', 'adapter_model.safetensors'] as const

/**
 * Reads a model's folder: one on the disk, or files that are downloaded as they are asked for, verified, and kept. Once
 * what was needed has been read, it is what is read the next time that the server cannot be reached, is overloaded (429)
 * or fails (5xx).
 *
 * @param source a path, an address of http or https, or `owner/name`
 * @param read what it made before it threw is its own to free
 * @throws when the source is none of these, when the server refuses, when it is of no use and nothing is kept, and when it
 * announces or sends more than it may; the signal's reason, at once
 */
export async function readFolder<T>(
  source: string | URL,
  part: FolderPart,
  options: HubOptions,
  read: (folder: Folder) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted()
  const path = await pathOf(source)
  if (path !== undefined)
    return untilAborted(read(isNumpyArchive(path) ? numpyFolder(path) : diskFolder(path)), options.signal)
  return untilAborted(readRemote(source, part, options, read), options.signal)
}

/**
 * The folder of a model on the disk. A hub id or an address is downloaded (config.json, preprocessor_config.json, the
 * safetensors), verified by its checksums, and kept in the cache that Python uses too; a configuration that describes no
 * ViT is refused before the weights are downloaded. HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE are
 * honoured, and HTTPS_PROXY, HTTP_PROXY and NO_PROXY. When the hub cannot be reached, is overloaded (429) or fails (5xx),
 * what the cache has is used. For Node and Bun: a browser's cache has no paths, and `fromPretrained` takes the same names.
 *
 * @param source a path, an address of http or https, or `owner/name`
 * @throws when it is none of these, when the server refuses, when it is of no use and the cache is empty, and when it
 * announces or sends more than it may
 */
export async function resolveModel(source: string | URL, options: HubOptions = {}): Promise<string> {
  const path = await pathOf(source)
  if (path !== undefined) return path
  const { origin, store } = await originOf(source, { ...options, cache: true })
  if (!store.snapshot)
    throw new Error(`${origin.name} cannot be a path: a browser's cache has none. Use fromPretrained.`)
  await readFolder(source, 'model', { ...options, cache: true }, async folder => {
    await openModelFolder(folder)
    if (!(await folder.open(processorFiles[0]).then(closed))) await folder.open(processorFiles[1]).then(closed)
  })
  const listing = await store.listing(origin.revision)
  if (!listing) throw new Error(`${origin.name} could not be kept in ${store.name}; the warning above says why.`)
  return store.snapshot(listing.version)
}

/** The first that a folder has is read. */
export const processorFiles = ['preprocessor_config.json', 'processor_config.json'] as const

async function closed(file: OpenFile | undefined): Promise<boolean> {
  await file?.close()
  return file !== undefined
}

/** The path that a source is, if it is one. */
async function pathOf(source: string | URL): Promise<string | undefined> {
  if (source instanceof URL) return source.protocol === 'file:' ? network.pathOfUrl(source) : undefined
  if (network.locate(source)) return undefined
  return (await disk.exists(source).catch(() => false)) ? source : undefined // a page may have no storage
}

async function originOf(
  source: string | URL,
  options: HubOptions,
): Promise<{ origin: Origin; store: ModelStore; environment: HubEnvironment }> {
  const { revision, cacheFolder, cache = true, maxBytes, onWarning = console.warn } = options
  const given = network.environment()
  const token = trimToken(options.token)
  const environment: HubEnvironment = {
    ...given,
    endpoint: (options.endpoint ?? given.endpoint).replace(/\/+$/, ''),
    ...(cacheFolder && { cacheFolder }),
    ...(maxBytes && { maxBytes }),
    ...(token && { token }),
  }
  const address = source instanceof URL ? source : network.locate(source)
  const origin = address
    ? addressOrigin(address, revision, token)
    : hubOrigin(requireId(source), revision ?? 'main', environment)
  const store = cache
    ? await network.openStore(environment.cacheFolder, address ? origin.name : `${source}`, onWarning)
    : new PartStore('memory', origin.name, undefined, onWarning)
  return { origin, store, environment }
}

function addressOrigin(address: URL, revision: string | undefined, token: string | undefined): Origin {
  if (!/^https?:$/.test(address.protocol))
    throw new Error(
      `A model cannot be loaded from '${printable(address.href.slice(0, 100))}'; expected an address of http or https.`,
    )
  if (revision !== undefined && !/^\w[\w.+-]*$/.test(revision))
    throw new Error(`revision is '${revision}'; expected a name of letters, digits, '.', '-' and '+'.`)
  return urlOrigin(address, revision, token)
}

function requireId(source: string | URL): string {
  const id = `${source}`
  if (/^[\w][\w.-]*\/[\w][\w.-]*$/.test(id) && !id.includes('..')) return id
  throw new Error(
    `'${printable(id)}' is neither a folder that exists nor a hub id such as google/vit-base-patch16-224, nor ${network.addresses}.`,
  )
}

async function readRemote<T>(
  source: string | URL,
  part: FolderPart,
  options: HubOptions,
  read: (folder: Folder) => Promise<T>,
): Promise<T> {
  const { origin, store, environment } = await originOf(source, options)
  const { signal, onProgress, onWarning = console.warn } = options
  const stored = async (): Promise<Folder | undefined> => {
    const listing = await store.listing(origin.revision)
    const folder = listing && storedFolder(origin, store, listing)
    return folder && (await hasPart(folder, part)) ? folder : undefined
  }
  const fromStore = async (reason: string, warn: boolean): Promise<T> => {
    const folder = await stored()
    if (!folder) throw new Error(`${reason} ${capitalized(store.name)} does not have ${origin.name} either.`)
    if (warn) onWarning(printable(`${reason} Using the copy in ${store.name}.`)) // the reason quotes the server
    return read(folder)
  }
  if (environment.offline) return fromStore('HF_HUB_OFFLINE is set, so the hub is not asked.', false)
  const fixed = origin.isFixed ? await stored() : undefined
  if (fixed) return read(fixed)
  const { maxBytes, timeoutSeconds } = environment
  const folder = new RemoteFolder(origin, store, { maxBytes, timeoutSeconds, signal, onProgress })
  try {
    const result = await read(folder)
    await rememberListing(store, origin.revision, folder.read()).catch(({ message }: Error) =>
      onWarning(printable(`What was loaded of ${origin.name} is not kept for the next time: ${message}`)),
    )
    return result
  } catch (error) {
    if (error instanceof HubUnavailableError) return fromStore(error.message, true)
    throw error
  }
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Whether a folder has all that a part takes: an interrupted download has not. */
async function hasPart(folder: Folder, part: FolderPart): Promise<boolean> {
  const names = new Set(await folder.list())
  if (part === 'adapters') return adapterFiles.every(file => names.has(file))
  if (part === 'processor') return processorFiles.some(file => names.has(file))
  const weights = await weightFileNames(folder, file => names.has(file))
  return names.has('config.json') && (weights?.every(file => names.has(file)) ?? false)
}

/** Rejects at once when the signal comes; the work ends by itself, at its next look at the signal. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
