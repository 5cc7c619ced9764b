/** Reasons why a folder is not served, as one line for clients, who must not learn its path. */
import { printable } from '@vitral/core/text'
import type { LoadedDescription } from '../workers/protocol.ts'

const LONGEST = 400

/** @returns the error's message on one line, without the folder's path */
export function explain({ message }: Error, folder: string): string {
  const line = printable(message.replaceAll(`${folder}/`, '').replaceAll(folder, 'its folder').replace(/\s+/g, ' '))
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

/**
 * Checks that a new version keeps the number of classes: clients know classes by their index.
 *
 * @returns why the new version may not replace the old one; undefined if it may
 */
export function changeOfLabels(before: LoadedDescription, after: LoadedDescription): string | undefined {
  if (before.labels.length === after.labels.length) return undefined
  return `It has ${after.labels.length} classes, but the version in service has ${before.labels.length}; serve another model under another name.`
}
