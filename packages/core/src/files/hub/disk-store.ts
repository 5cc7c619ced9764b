/**
 * Downloaded files on the disk, in Hugging Face's cache folder, shared with Python: models--owner--name/{blobs,refs,snapshots},
 * where a snapshot's files are links to blobs named by their checksum. Models of other servers have folders of the same form.
 */
import { createHash, randomUUID } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { writeFileAtomic } from '../atomic-write.ts'
import type { OpenFile } from '../disk/disk.ts'
import { disk } from '../disk/node-disk.ts'
import { withLock } from '../lock/file-lock.ts'
import type { IncomingFile, Listing, ModelStore } from './model-store.ts'

export class DiskStore implements ModelStore {
  readonly name: string
  /** Others write there too, and disks err. */
  readonly guardsContent = false
  readonly #folder: string
  /** Python never removes anything of its own. */
  readonly #isOurs: boolean

  /** @param model a hub id, or an address */
  constructor(cacheFolder: string, model: string) {
    this.name = `the cache ${cacheFolder}`
    this.#folder = join(cacheFolder, folderName(model))
    this.#isOurs = isAddress(model)
  }

  async open(key: string): Promise<OpenFile | undefined> {
    const blob = this.#blob(key)
    return existsSync(blob) ? disk.open(blob) : undefined
  }

  async receive(key: string): Promise<IncomingFile> {
    const [blob, incomplete] = [this.#blob(key), `${this.#blob(key)}.incomplete`]
    await mkdir(dirname(blob), { recursive: true })
    const file = await open(incomplete, constants.O_RDWR | constants.O_CREAT)
    let received = (await file.stat()).size
    return {
      get received() {
        return received
      },
      async append(bytes) {
        for (let rest = bytes; rest.length > 0; ) {
          const { bytesWritten } = await file.write(rest, 0, rest.length, received)
          rest = rest.subarray(bytesWritten)
          received += bytesWritten
        }
      },
      async restart() {
        await file.truncate(0)
        received = 0
      },
      open: () => disk.open(incomplete),
      async complete() {
        await file.sync()
        await rename(incomplete, blob)
      },
      async close() {
        await file.close()
        if (received === 0) await rm(incomplete, { force: true })
      },
    }
  }

  /** Beside Python's locks, which are of another kind. */
  whileLocked<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const lock = join(dirname(this.#folder), '.locks', basename(this.#folder), `${key}.lock`)
    return withLock(lock, { ...(signal && { signal }) }, work)
  }

  async listing(revision: string): Promise<Listing | undefined> {
    const version = await this.#versionOf(revision)
    const snapshot = version && this.snapshot(version)
    if (!version || !snapshot || !existsSync(snapshot)) return undefined
    const files = new Map<string, string>()
    for (const file of await readdir(snapshot)) {
      const target = await readlink(join(snapshot, file)).catch(() => undefined)
      if (target && existsSync(join(snapshot, file))) files.set(file, basename(target))
    }
    return { version, files }
  }

  async remember(revision: string, { version, files }: Listing): Promise<void> {
    for (const [file, key] of files) await this.#link(version, file, key)
    const before = await this.listing(revision)
    if (revision === version || before?.version === version) return
    const ref = this.#ref(revision)
    await mkdir(dirname(ref), { recursive: true })
    await writeFileAtomic(ref, version)
    if (!before || !this.#isOurs) return
    await rm(this.snapshot(before.version), { recursive: true, force: true })
    const kept = new Set(files.values())
    for (const key of before.files.values()) if (!kept.has(key)) await rm(this.#blob(key), { force: true })
  }

  /** The folder in which the files of a version have their names. */
  snapshot(version: string): string {
    return join(this.#folder, 'snapshots', version)
  }

  /** The version a revision pointed to when it was last asked for. */
  async #versionOf(revision: string): Promise<string | undefined> {
    if (revision && existsSync(this.snapshot(revision))) return revision
    const ref = this.#ref(revision)
    return existsSync(ref) ? (await readFile(ref, 'utf8')).trim() : undefined
  }

  #blob(key: string): string {
    return join(this.#folder, 'blobs', key)
  }

  #ref(revision: string): string {
    return join(this.#folder, 'refs', revision || 'main')
  }

  /** Makes a blob appear under its name in a snapshot; one that another process reads is never gone in between. */
  async #link(version: string, file: string, key: string): Promise<void> {
    const path = join(this.snapshot(version), file)
    const target = relative(dirname(path), this.#blob(key))
    if ((await readlink(path).catch(() => undefined)) === target) return
    await mkdir(dirname(path), { recursive: true })
    const aside = `${path}.${randomUUID()}.tmp`
    await symlink(target, aside)
    await rename(aside, path)
  }
}

const isAddress = (model: string): boolean => /^https?:/.test(model)

/** Python's for a hub id; for an address its host, to be found by, and a hash of all of it. */
function folderName(model: string): string {
  if (!isAddress(model)) return `models--${model.replace('/', '--')}`
  const { host } = new URL(model)
  return `urls--${host.replace(/[^\w.-]/g, '-')}--${createHash('sha256').update(model).digest('hex').slice(0, 16)}`
}
