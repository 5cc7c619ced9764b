/** What the file system says of a model folder, without reading it: how large it is, and whether it has changed. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** @throws when there is no such folder */
export async function ensureFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory())
    throw new Error(`${folder} ${found ? 'is no folder' : 'does not exist'}; expected a model folder.`)
}

/** Bytes of a process before it has a model, at least: the runtime, TensorFlow.js, the kernels. */
const PROCESS = 60e6

/** Bytes that a model's processes will have resident, by the size of its weights; 0 when there are none to be read. */
export async function estimateMemory(folder: string, workers: number): Promise<number> {
  const files = (await filesOf(folder)).filter(({ name }) => name.endsWith('.safetensors'))
  return files.reduce((sum, { size }) => sum + size, PROCESS) * workers
}

/**
 * Looks at a folder again and again. A change counts once it has lasted from one look to the next, as a folder is
 * written file by file.
 *
 * @returns what stops it
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
    return [] // whoever loads the folder says what is wrong with it
  }
}
