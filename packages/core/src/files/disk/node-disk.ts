/** The file system of Node and Bun. */
import { appendFileSync, existsSync } from 'node:fs'
import * as files from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { type FreeSpace, writeError } from '../write-error.ts'
import { aside, isLeftover } from './aside.ts'
import type { Disk } from './disk.ts'

export const disk: Disk = {
  join,
  dirname: path => dirname(resolve(path)),
  basename: path => basename(resolve(path)),
  exists: async path => existsSync(path),
  list: folder => files.readdir(folder),

  async files(folder) {
    const entries = await files.readdir(folder, { recursive: true, withFileTypes: true })
    const paths = entries.filter(entry => !entry.isDirectory()).map(entry => join(entry.parentPath, entry.name))
    return paths.map(path => relative(folder, path).replaceAll(sep, '/')).sort()
  },

  async open(path) {
    const file = await files.open(path, 'r')
    try {
      const { size } = await file.stat()
      return {
        size,
        read: async (bytes, position) =>
          (await file.read(bytes, 0, Math.min(bytes.length, mostBytesOfRead), position)).bytesRead,
        close: () => file.close(),
      }
    } catch (error) {
      await file.close()
      throw error
    }
  },

  readText: path => files.readFile(path, 'utf8'),

  /** Writes beside the file, flushes to the disk, renames, and flushes the folder's entry. */
  async write(path, pieces) {
    const temporary = aside(path)
    try {
      const file = await files.open(temporary, 'w')
      try {
        for (const piece of pieces)
          for (let rest = piece; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten)
        await file.sync()
      } finally {
        await file.close()
      }
      await files.rename(temporary, path)
    } catch (error) {
      await files.rm(temporary, { force: true }).catch(() => {}) // the reason of the failure says more than that of the removal
      throw writeError(error, { path, bytes: lengthOf(pieces), free: await freeSpace(dirname(path)) })
    }
    await disk.flush(dirname(path))
  },

  async append(path, bytes) {
    try {
      appendFileSync(path, bytes) // lines come in the order of the calls, also of those that nobody waits for
    } catch (error) {
      throw writeError(error, { path, bytes: bytes.length })
    }
  },

  async makeFolder(folder) {
    try {
      await files.mkdir(folder, { recursive: true })
    } catch (error) {
      throw writeError(error, { path: folder, bytes: 0 })
    }
  },

  async createFolder(folder, fill) {
    const temporary = aside(folder)
    await files.mkdir(temporary)
    try {
      await fill(temporary)
      await files.rename(temporary, folder)
    } catch (error) {
      await files.rm(temporary, { recursive: true, force: true })
      throw error
    }
    await disk.flush(disk.dirname(folder))
  },

  remove: path => files.rm(path, { recursive: true, force: true }),

  async removeLeftovers(folder) {
    for (const name of await files.readdir(folder)) if (isLeftover(name)) await disk.remove(join(folder, name))
  },

  async flush(folder) {
    if (process.platform === 'win32') return // folders cannot be opened there; NTFS journals renames itself
    const descriptor = await files.open(folder, 'r')
    try {
      await descriptor.sync()
    } finally {
      await descriptor.close()
    }
  },
}

/** One call takes no more than 2 GiB. */
const mostBytesOfRead = 2 ** 30

const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

async function freeSpace(folder: string): Promise<FreeSpace | undefined> {
  try {
    const { bavail, bsize, files: inodes, ffree } = await files.statfs(folder)
    return { bytes: bavail * bsize, files: inodes === 0 ? Infinity : ffree } // btrfs has no fixed number of inodes
  } catch {
    return undefined
  }
}
