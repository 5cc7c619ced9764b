/** Reading JSON files of others: how large one may be, and errors that name it. */

import { disk } from '#platform'

/** The names of all classes of the largest data sets take a few megabytes. */
const MOST_BYTES = 64 * 2 ** 20

/**
 * Reads a JSON file; the error of a malformed one names it.
 *
 * @param mostBytes the size beyond which it is refused unread
 */
export async function readJson(path: string, mostBytes: number = MOST_BYTES): Promise<unknown> {
  const text = await readText(path, mostBytes)
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new Error(`${path} is not JSON: ${error.message}`)
    throw error
  }
}

async function readText(path: string, mostBytes: number): Promise<string> {
  const { size, close } = await disk.open(path)
  await close()
  if (size > mostBytes) throw new Error(`${path} has ${size} bytes; expected at most ${mostBytes}.`)
  return disk.readText(path)
}
