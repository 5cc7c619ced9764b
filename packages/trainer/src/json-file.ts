/** JSON files of a run and of a sweep, read back: one that was cut off or changed is named. */
import { disk } from '@vitral/core/files'

/**
 * @param isWhole whether the value has what its readers need
 * @throws naming the file when it is no JSON, or not what Vitral writes there
 */
export async function readJsonFile<T>(path: string, isWhole: (value: T) => boolean = isObject): Promise<T> {
  const text = await disk.readText(path)
  let value: T
  try {
    value = JSON.parse(text) as T
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw damaged(path, `it is no JSON (${error.message})`, error)
  }
  if (!isObject(value) || !isWhole(value)) throw damaged(path, 'it lacks what Vitral wrote there')
  return value
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

const damaged = (path: string, why: string, cause?: unknown): Error =>
  new Error(
    `${path} is damaged: ${why}. It was cut off or changed after it was written; copy it from a backup, or begin in another --out.`,
    { cause },
  )
