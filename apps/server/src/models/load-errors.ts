/** Why a folder is not served, in one line for people who may not know where it lies. */
import { printable } from '@vitral/core/text'
import type { LoadedDescription } from '../workers/model-calls.ts'

const LONGEST = 400

/** The error's message on one line, without the folder's path. */
export function explain({ message }: Error, folder: string): string {
  const line = printable(message.replaceAll(`${folder}/`, '').replaceAll(folder, 'its folder').replace(/\s+/g, ' '))
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

/** Clients know the classes by their place: @returns why the new version may not take the old one's place, if so */
export function changeOfLabels(before: LoadedDescription, after: LoadedDescription): string | undefined {
  if (before.labels.length === after.labels.length) return undefined
  return `It has ${after.labels.length} classes, and the version that is served ${before.labels.length}; give another model another name.`
}
