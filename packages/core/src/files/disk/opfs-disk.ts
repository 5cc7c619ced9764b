/**
 * The origin private file system of a browser: each site has its own, which stays when its pages are closed. Paths are
 * those of Node with '/' between names, from its root: 'runs/flowers/best'.
 *
 * A file is replaced by `createWritable`, whose content the browser keeps aside until `close`, and then exchanges at once;
 * a page that is closed or killed before leaves the old content. Chromium 86, Firefox 111, Safari 26.
 */
import { writeError } from '../write-error.ts'
import type { Disk } from './disk.ts'

export const disk: Disk = {
  join: (...parts) => partsOf(parts.join('/')).join('/'),
  dirname: path => partsOf(path).slice(0, -1).join('/'),
  basename: path => partsOf(path).at(-1) ?? '',

  async exists(path) {
    const name = disk.basename(path)
    const folder = await folderAt(disk.dirname(path)).catch(unlessMissing)
    if (!folder || name === '') return folder !== undefined
    return (await (fileIn(folder, name) as Promise<unknown>).catch(unlessMissing)) !== undefined
  },

  async list(folder) {
    const names: string[] = []
    for await (const name of (await folderAt(folder)).keys()) names.push(name)
    return names
  },

  async open(path) {
    const blob = await (await fileAt(path)).getFile()
    return {
      size: blob.size,
      async read(bytes, position) {
        const part = blob.slice(position, position + Math.min(bytes.length, mostBytesOfRead))
        bytes.set(new Uint8Array(await part.arrayBuffer()))
        return part.size
      },
      close: async () => {},
    }
  },

  readText: async path => (await (await fileAt(path)).getFile()).text(),

  write: (path, pieces) =>
    writing(path, lengthOf(pieces), async () => {
      const writable = await writableOf(await fileAt(path, { create: true }))
      try {
        for (const piece of pieces) await writable.write(ownBytes(piece))
      } catch (error) {
        await writable.abort().catch(() => {}) // what was there before stays
        throw error
      }
      await writable.close()
    }),

  append: (path, bytes) =>
    writing(path, bytes.length, async () => {
      const file = await fileAt(path, { create: true })
      // Only workers have it; elsewhere all of the file is written again.
      if (file.createSyncAccessHandle) {
        const access = await file.createSyncAccessHandle()
        try {
          access.write(bytes, { at: access.getSize() })
          access.flush()
        } finally {
          access.close()
        }
        return
      }
      const { size } = await file.getFile()
      const writable = await writableOf(file, { keepExistingData: true })
      await writable.write({ type: 'write', position: size, data: ownBytes(bytes) })
      await writable.close()
    }),

  makeFolder: folder => writing(folder, 0, async () => void (await folderAt(folder, { create: true }))),

  createFolder: async (folder, fill) => {
    await disk.makeFolder(folder)
    await fill(folder)
  },

  async remove(path) {
    const folder = await folderAt(disk.dirname(path)).catch(unlessMissing)
    await folder?.removeEntry(disk.basename(path), { recursive: true }).catch(unlessMissing)
  },

  /** Chromium's files aside, which it leaves when it is killed as a whole. */
  async removeLeftovers(folder) {
    for (const name of await disk.list(folder)) if (name.endsWith('.crswap')) await disk.remove(disk.join(folder, name))
  },

  flush: async () => {}, // the browser keeps its own journal
}

/** Each read makes a copy, which this bounds. */
const mostBytesOfRead = 2 ** 26

interface SyncAccessHandle {
  getSize(): number
  write(bytes: Uint8Array, options: { at: number }): number
  flush(): void
  close(): void
}

type OpfsFile = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncAccessHandle> }
type OpfsFolder = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> }

function partsOf(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..'))
    throw new Error(`'${path}' has '..' in it, and a site's files have nothing above them; expected names and '/'.`)
  return parts
}

async function folderAt(path: string, options: { create?: boolean } = {}): Promise<OpfsFolder> {
  const storage = globalThis.navigator?.storage
  if (!storage?.getDirectory)
    throw new Error(
      'This page has no storage for files (OPFS); it needs https or localhost, and not a private window of Firefox.',
    )
  let folder = await storage.getDirectory()
  for (const name of partsOf(path)) folder = await folder.getDirectoryHandle(name, options)
  return folder as OpfsFolder
}

/** The file or folder of a name. */
async function fileIn(folder: OpfsFolder, name: string): Promise<OpfsFile | FileSystemDirectoryHandle> {
  try {
    return await folder.getFileHandle(name)
  } catch (error) {
    if ((error as Error).name !== 'TypeMismatchError') throw error
    return folder.getDirectoryHandle(name)
  }
}

async function fileAt(path: string, options: { create?: boolean } = {}): Promise<OpfsFile> {
  try {
    return await (await folderAt(disk.dirname(path))).getFileHandle(disk.basename(path), options)
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') throw error
    throw Object.assign(new Error(`There is no file ${path} in this site's storage.`, { cause: error }), {
      name: 'NotFoundError',
    })
  }
}

async function writableOf(
  file: OpfsFile,
  options?: FileSystemCreateWritableOptions,
): Promise<FileSystemWritableFileStream> {
  if (!file.createWritable)
    throw new Error('This browser cannot replace files at once (createWritable); Safari can from version 26.')
  return file.createWritable(options)
}

/** What is shared between threads is copied: streams do not take it. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice()

/** Writes; a full quota is a full disk. */
async function writing(path: string, bytes: number, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    const isFull = (error as Error).name === 'QuotaExceededError'
    throw isFull
      ? writeError(Object.assign(new Error('no room', { cause: error }), { code: 'EDQUOT' }), { path, bytes })
      : error
  }
}

const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

function unlessMissing(error: unknown): undefined {
  if ((error as Error).name !== 'NotFoundError' && (error as Error).name !== 'TypeMismatchError') throw error
  return undefined
}
