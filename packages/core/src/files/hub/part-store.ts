/**
 * Downloaded files in parts, in the browser's Cache Storage, or in memory where there is none.
 *
 * Cache Storage and not OPFS: every browser writes it from a page (OPFS only from workers in Safari before 26), an entry
 * appears whole or not at all, and it can be appended to: OPFS copies a file each time one is opened to be gone on with.
 * A file is as many entries as it has parts, so that a transfer of gigabytes which the closing of a page cut off goes on
 * from its last part, and a tensor is read without the rest. What takes a key for a whole content is one entry more, made
 * last.
 *
 * Entries are addressed `https://vitral.invalid/MODEL/KEY?from=0&to=4194304`; nothing is ever asked of that host.
 */
import type { OpenFile } from '../disk/disk.ts'
import type { IncomingFile, Listing, ModelStore } from './model-store.ts'

/** A part is in memory while it is filled: little beside a tensor, and much beside what an entry costs. */
const partBytes = 2 * 2 ** 20
/** Bytes of one read, which a browser gives as a copy: little beside a tensor, again. */
const mostBytesOfRead = 2 ** 20

interface Part {
  from: number
  to: number
  url: string
}

export class PartStore implements ModelStore {
  readonly name: string
  readonly guardsContent = true
  readonly #model: string
  readonly #cache: Cache | undefined
  /** Entries that no cache takes: there is none, or its quota is used up. */
  readonly #inMemory = new Map<string, Blob>()
  readonly #onWarning: (message: string) => void

  /** @param cache in which entries stay when the page is closed */
  constructor(name: string, model: string, cache: Cache | undefined, onWarning: (message: string) => void) {
    this.name = name
    this.#model = `https://vitral.invalid/${encodeURIComponent(model)}`
    this.#cache = cache
    this.#onWarning = onWarning
  }

  async open(key: string): Promise<OpenFile | undefined> {
    const whole = await this.#read(this.#wholeUrl(key))
    if (!whole) return undefined
    const parts = chained(await this.#parts(key))
    const size = Number(await whole.text())
    return (parts.at(-1)?.to ?? 0) === size ? this.#fileOf(parts) : undefined // the browser may have removed some
  }

  async receive(key: string): Promise<IncomingFile> {
    const store = this
    let parts = chained(await this.#parts(key))
    let filling: Uint8Array[] = []
    let [begin, received] = [parts.at(-1)?.to ?? 0, parts.at(-1)?.to ?? 0]
    const flush = async (): Promise<void> => {
      if (received === begin) return
      const part = { from: begin, to: received, url: `${this.#url(key)}?from=${begin}&to=${received}` }
      await this.#write(part.url, new Blob(filling as BlobPart[]))
      parts.push(part)
      begin = received
      filling = []
    }
    return {
      get received() {
        return received
      },
      async append(bytes) {
        // A network's chunk may be a view of a large buffer; a copy of these bytes alone is kept.
        for (let rest = bytes; rest.length > 0; ) {
          const taken = rest.slice(0, partBytes - (received - begin))
          filling.push(taken)
          received += taken.length
          rest = rest.subarray(taken.length)
          if (received - begin === partBytes) await flush()
        }
      },
      async restart() {
        await store.#remove(key)
        parts = []
        filling = []
        begin = received = 0
      },
      async open() {
        await flush()
        return store.#fileOf(parts)
      },
      async complete() {
        await flush()
        await store.#write(store.#wholeUrl(key), new Blob([`${received}`]))
      },
      close: flush,
    }
  }

  async whileLocked<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const locks = globalThis.navigator?.locks
    if (!locks || !this.#cache) return work()
    return (await locks.request(this.#url(key), { ...(signal && { signal }) }, work)) as T
  }

  async listing(revision: string): Promise<Listing | undefined> {
    const text = await (await this.#read(this.#listingUrl(revision)))?.text()
    if (text === undefined) return undefined
    const { version, files } = JSON.parse(text) as { version: string; files: [string, string][] }
    return { version, files: new Map(files) }
  }

  async remember(revision: string, { version, files }: Listing): Promise<void> {
    const before = await this.listing(revision)
    const text = JSON.stringify({ version, files: [...files] })
    await this.#write(this.#listingUrl(revision), new Blob([text], { type: 'application/json' }))
    const kept = await this.#keysOfListings()
    for (const key of before?.files.values() ?? []) if (!kept.has(key)) await this.#remove(key)
  }

  async #keysOfListings(): Promise<Set<string>> {
    const keys = new Set<string>()
    for (const url of await this.#urls())
      if (url.startsWith(`${this.#model}/revisions/`))
        for (const key of (
          await this.listing(decodeURIComponent(url.slice(`${this.#model}/revisions/`.length)))
        )?.files.values() ?? [])
          keys.add(key)
    return keys
  }

  #fileOf(parts: readonly Part[]): OpenFile {
    return {
      size: parts.at(-1)?.to ?? 0,
      read: async (bytes, position) => {
        const part = parts.find(({ from, to }) => from <= position && position < to)
        if (!part || bytes.length === 0) return 0
        const blob = await this.#read(part.url)
        if (!blob)
          throw new Error(`${this.name} has lost a part of a file while it was being read; load the model again.`)
        const begin = position - part.from
        const piece = blob.slice(begin, begin + Math.min(bytes.length, mostBytesOfRead))
        bytes.set(new Uint8Array(await piece.arrayBuffer()))
        return piece.size
      },
      close: async () => {},
    }
  }

  async #parts(key: string): Promise<Part[]> {
    const prefix = `${this.#url(key)}?`
    return (await this.#urls(this.#url(key))).flatMap(url => {
      if (!url.startsWith(prefix)) return []
      const range = new URLSearchParams(url.slice(prefix.length))
      return range.has('to') ? [{ from: Number(range.get('from')), to: Number(range.get('to')), url }] : []
    })
  }

  /** @param of those alone that differ from it by what follows the `?` */
  async #urls(of?: string): Promise<string[]> {
    const kept = (await this.#cache?.keys(of, { ignoreSearch: true })) ?? []
    return [...kept.map(({ url }) => url), ...this.#inMemory.keys()]
  }

  async #remove(key: string): Promise<void> {
    this.#inMemory.delete(this.#wholeUrl(key))
    await this.#cache?.delete(this.#wholeUrl(key))
    for (const { url } of await this.#parts(key)) {
      this.#inMemory.delete(url)
      await this.#cache?.delete(url)
    }
  }

  async #read(url: string): Promise<Blob | undefined> {
    return this.#inMemory.get(url) ?? (await this.#cache?.match(url))?.blob()
  }

  async #write(url: string, blob: Blob): Promise<void> {
    if (this.#cache && this.#inMemory.size === 0)
      try {
        await this.#cache.put(url, new Response(blob))
        return
      } catch (error) {
        if ((error as Error).name !== 'QuotaExceededError') throw error
        this.#onWarning(
          `${this.name} has no room for the model, which stays in memory and is downloaded again the next time.`,
        )
      }
    this.#inMemory.set(url, blob)
  }

  #url(key: string): string {
    return `${this.#model}/${key}`
  }

  #wholeUrl(key: string): string {
    return `${this.#url(key)}?whole`
  }

  #listingUrl(revision: string): string {
    return `${this.#model}/revisions/${encodeURIComponent(revision)}`
  }
}

/** Those that follow one another from the beginning. */
function chained(parts: readonly Part[]): Part[] {
  const chain: Part[] = []
  for (let next = parts.find(({ from }) => from === 0); next; ) {
    const { to }: Part = next
    chain.push(next)
    next = parts.find(({ from }) => from === to)
  }
  return chain
}
