/** A model on a server as a folder: each file is described, downloaded and verified when it is first asked for. */
import type { OpenFile } from '../disk/disk.ts'
import type { Folder } from '../folder.ts'
import { mostJsonBytes } from '../json-file.ts'
import { Silence } from './hub-request.ts'
import type { Listing, ModelStore } from './model-store.ts'
import type { Origin } from './origin.ts'
import { type DownloadProgress, receiveFile } from './receive.ts'
import type { ReadFiles } from './remember-listing.ts'

export interface RemoteFolderOptions {
  maxBytes: number
  timeoutSeconds: number
  signal?: AbortSignal | undefined
  onProgress?: ((progress: DownloadProgress) => void) | undefined
}

export class RemoteFolder implements Folder {
  readonly name: string
  readonly isVerified: boolean
  readonly #origin: Origin
  readonly #store: ModelStore
  readonly #options: RemoteFolderOptions
  /** Keys of the files that are in the store; undefined for those that the server does not have. */
  readonly #keys = new Map<string, string | undefined>()
  #commit: string | undefined
  /** Bytes of the files so far. */
  #bytes = 0

  constructor(origin: Origin, store: ModelStore, options: RemoteFolderOptions) {
    this.name = origin.name
    this.isVerified = store.guardsContent
    this.#origin = origin
    this.#store = store
    this.#options = options
  }

  pathOf(file: string): string {
    return this.#origin.pathOf(file)
  }

  /** @throws when the server cannot be reached, refuses, or sends what is damaged or too large; the signal's reason */
  async open(file: string): Promise<OpenFile | undefined> {
    if (!this.#keys.has(file)) this.#keys.set(file, await this.#fetch(file))
    const key = this.#keys.get(file)
    return key === undefined ? undefined : this.#store.open(key)
  }

  async list(): Promise<readonly string[]> {
    return [...this.#listed().keys()]
  }

  lacks(file: string, other?: string): string {
    return this.#origin.lacks(file, other)
  }

  /** What has been asked for and is there. */
  read(): ReadFiles {
    return { ...(this.#commit !== undefined && { version: this.#commit }), files: this.#listed() }
  }

  #listed(): Map<string, string> {
    return new Map([...this.#keys].filter((entry): entry is [string, string] => entry[1] !== undefined))
  }

  async #fetch(file: string): Promise<string | undefined> {
    const { timeoutSeconds, signal, onProgress } = this.#options
    signal?.throwIfAborted()
    const silence = new Silence(timeoutSeconds, signal)
    const remote = await this.#origin.describe(file, this.#commit, silence).finally(() => silence.end())
    if (!remote) return undefined
    const path = this.pathOf(file)
    const limit = this.#limitOf(file, remote.size)
    await receiveFile(this.#store, remote, {
      server: this.#origin.server,
      path,
      limit,
      timeoutSeconds,
      signal,
      onProgress,
    })
    this.#commit ??= remote.commit
    const content = await this.#store.open(remote.key)
    this.#bytes += content?.size ?? 0
    await content?.close()
    return remote.key
  }

  /** @throws when the file, or the model with it, is larger than it may be */
  #limitOf(file: string, size: number = 0): number {
    const isJson = file.endsWith('.json')
    const { maxBytes } = this.#options
    const limit = isJson ? Math.min(mostJsonBytes, maxBytes) : maxBytes - this.#bytes
    if (size <= limit) return limit
    const count = (bytes: number): string => bytes.toLocaleString('en-US')
    throw new Error(
      isJson
        ? `${file} of ${this.name} has ${count(size)} bytes; expected at most ${count(limit)}.`
        : `${this.name} has ${count(this.#bytes + size)} bytes up to ${file}; expected at most ${count(maxBytes)}. If that is its size, set VITRAL_HUB_MAX_BYTES (the option maxBytes) to it.`,
    )
  }
}

/** What the store has of a model, when its server cannot be asked. */
export function storedFolder(
  { name, pathOf }: Pick<Origin, 'name' | 'pathOf'>,
  store: ModelStore,
  { files }: Listing,
): Folder {
  return {
    name,
    isVerified: store.guardsContent,
    pathOf,
    open: async file => {
      const key = files.get(file)
      return key === undefined ? undefined : store.open(key)
    },
    list: async () => [...files.keys()],
    lacks: file => `${store.name} has no ${file} of ${name}`,
  }
}
