/** Size and changes of a model folder, by its files' metadata alone. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** @throws when the folder does not exist or is a file */
export async function ensureFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory())
    throw new Error(`${folder} ${found ? 'is not a folder' : 'does not exist'}; expected a model folder.`)
}

/** Resident bytes of a worker process without a model, a lower bound: the runtime, TensorFlow.js, the kernels. */
const PROCESS = 60e6

/** Estimates the resident bytes of a model's worker processes by the size of its weights. */
export async function estimateMemory(folder: string, workers: number): Promise<number> {
  const files = (await filesOf(folder)).filter(({ name }) => name.endsWith('.safetensors'))
  return files.reduce((sum, { size }) => sum + size, PROCESS) * workers
}

/**
 * Watches a folder by polling. A change counts once it is stable from one poll to the next, as a folder is written file by
 * file.
 *
 * @param interval milliseconds between polls
 * @returns a function that stops watching
 */
export function watchFolder(folder: string, interval: number, onChange: () => void): () => void {
  const look = async (): Promise<string> => JSON.stringify(await filesOf(folder))
  let known: string | undefined
  let seen: string | undefined
  let busy = true
  void look().then(now => {
    known = now
    busy = false
  })
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    const now = await look()
    busy = false
    const lasts = now === seen
    seen = now
    if (now === known || !lasts) return
    known = now
    onChange()
  }, interval)
  return () => clearInterval(timer)
}

interface FileState {
  name: string
  size: number
  changed: number
  inode: number
}

async function filesOf(folder: string): Promise<FileState[]> {
  try {
    const names = (await readdir(folder)).filter(name => /\.(json|safetensors)$/.test(name)).sort()
    return await Promise.all(
      names.map(async name => {
        const { size, mtimeMs, ino } = await stat(join(folder, name))
        return { name, size, changed: mtimeMs, inode: ino }
      }),
    )
  } catch {
    return [] // loading the folder reports what is wrong with it
  }
}
