/**
 * The origin private file system of a browser: each site has its own, which stays when its pages are closed. Paths are
 * those of Node with '/' between names, from its root: 'runs/flowers/best'.
 *
 * A file is written aside, flushed where that can be, and renamed, as in Node: a page that is closed or killed before leaves
 * the old content, or none. `createWritable` alone would do so for old files, and leave an empty one for a new.
 */
import { writeError } from '../write-error.ts'
import { aside, isLeftover } from './aside.ts'
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

  async files(folder) {
    const paths: string[] = []
    for await (const [name, { kind }] of (await folderAt(folder)).entries())
      if (kind === 'file') paths.push(name)
      else for (const path of await disk.files(disk.join(folder, name))) paths.push(`${name}/${path}`)
    return paths.sort()
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
      const folder = await folderAt(disk.dirname(path))
      const temporary = aside(disk.basename(path))
      try {
        const file: OpfsFile = await folder.getFileHandle(temporary, { create: true })
        await fill(file, pieces)
        if (!file.move) throw new Error('This browser cannot rename files (move), as Chromium, Firefox and Safari can.')
        await file.move(folder, disk.basename(path))
      } catch (error) {
        await folder.removeEntry(temporary).catch(() => {}) // the reason of the failure says more than that of the removal
        throw error
      }
    }),

  append: (path, bytes) =>
    writing(path, bytes.length, async () => {
      const file = await fileAt(path, { create: true })
      const access = await file.createSyncAccessHandle?.()
      if (access) return finish(access, () => writeAll(access, bytes, access.getSize()))
      const { size } = await file.getFile()
      const writable = await file.createWritable({ keepExistingData: true })
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

  async removeLeftovers(folder) {
    for (const name of await disk.list(folder)) if (isLeftover(name)) await disk.remove(disk.join(folder, name))
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

type OpfsFile = FileSystemFileHandle & {
  /** Workers alone have it. */
  createSyncAccessHandle?(): Promise<SyncAccessHandle>
  /** Renames, in the place of a file that has the name. */
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>
}
type OpfsFolder = FileSystemDirectoryHandle & {
  keys(): AsyncIterable<string>
  entries(): AsyncIterable<[name: string, handle: FileSystemHandle]>
}

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

/** Writes the content of a new file, and flushes it where that can be: in workers. */
async function fill(file: OpfsFile, pieces: readonly Uint8Array[]): Promise<void> {
  const access = await file.createSyncAccessHandle?.()
  if (access)
    return finish(access, () => {
      let at = 0
      for (const piece of pieces) {
        writeAll(access, piece, at)
        at += piece.length
      }
    })
  const writable = await file.createWritable()
  for (const piece of pieces) await writable.write(ownBytes(piece))
  await writable.close()
}

function finish(access: SyncAccessHandle, write: () => void): void {
  try {
    write()
    access.flush()
  } finally {
    access.close()
  }
}

function writeAll(access: SyncAccessHandle, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = access.write(bytes.subarray(done), { at: position + done })
    if (count === 0) throw Object.assign(new Error('Nothing more could be written.'), { name: 'QuotaExceededError' })
    done += count
  }
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
