/** Reading JSON files of others: how large one may be, and errors that name it. */
import type { OpenFile } from './disk/disk.ts'
import { type Folder, withFile } from './folder.ts'

/** The names of all classes of the largest data sets take a few megabytes. */
export const mostJsonBytes: number = 64 * 2 ** 20

/**
 * Reads a JSON file of a folder.
 *
 * @returns the value in a list of one, for it may be any; undefined where there is no such file
 */
export const readJsonIn = (folder: Folder, file: string): Promise<[value: unknown, bytes: number] | undefined> =>
  withFile(folder, file, async content => [
    parseJson(await readText(content, folder.pathOf(file), mostJsonBytes), folder.pathOf(file)),
    content.size,
  ])

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new Error(`${path} is not JSON: ${error.message}`)
    throw error
  }
}

async function readText(file: OpenFile, path: string, mostBytes: number): Promise<string> {
  if (file.size > mostBytes) throw new Error(`${path} has ${file.size} bytes; expected at most ${mostBytes}.`)
  const bytes = new Uint8Array(file.size)
  for (let at = 0; at < bytes.length; ) {
    const count = await file.read(bytes.subarray(at), at)
    if (count === 0) throw new Error(`${path} was cut off while it was being read.`)
    at += count
  }
  return new TextDecoder().decode(bytes)
}
