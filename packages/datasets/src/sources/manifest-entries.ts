/** Reads the lines of a manifest, a table or JSON, and checks each. */
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { parse } from 'csv-parse/sync'
import { readTextFile } from '../files/read-files.ts'
import { type Split, splits } from './split.ts'
import { splitNamed } from './split-names.ts'

/** A line. */
export interface ManifestEntry {
  path: string
  /** The name of a class; of a list whose images may have several, their names. */
  label: string | readonly string[]
  split?: Split
}

/**
 * @returns at least one
 * @throws naming the file and the line that is wrong
 */
export async function readManifestEntries(path: string): Promise<ManifestEntry[]> {
  const read = readers[extname(path).toLowerCase()]
  if (!read) throw new Error(`${path} is no manifest by its name; expected ${expectation}.`)
  const is = await stat(path).catch(() => undefined)
  if (!is?.isFile()) throw new Error(`${path} ${is ? 'is no file' : 'does not exist'}; expected ${expectation}.`)
  const entries = read(await readTextFile(path), path)
  if (entries.length === 0) throw new Error(`${path} names no image; expected ${expectation}.`)
  return entries
}

const expectation =
  'a .csv or .tsv whose first line is path,label, or a .jsonl with {"path": …, "label": …} on each line (labels for images of several classes)'

type Reader = (text: string, path: string) => ManifestEntry[]

const readers: Readonly<Record<string, Reader>> = {
  '.csv': (text, path) => readTable(text, path, ','),
  '.tsv': (text, path) => readTable(text, path, '\t'),
  '.jsonl': readLines,
  '.ndjson': readLines,
}

function readTable(text: string, path: string, delimiter: string): ManifestEntry[] {
  try {
    const rows = parse(text, {
      delimiter,
      bom: true,
      columns: (names: string[]) => names.map(name => name.trim()),
      trim: delimiter === ',', // around tabs nothing is to be taken for a space
      skip_empty_lines: true,
      info: true,
    }) as unknown as {
      record: Record<string, unknown>
      info: { lines: number }
    }[]
    return rows.map(({ record, info }) => toEntry(record, `${path}, line ${info.lines}`))
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    throw code?.startsWith('CSV_') ? new Error(`${path} is no valid table: ${message}.`, { cause: error }) : error
  }
}

function readLines(text: string, path: string): ManifestEntry[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const place = `${path}, line ${i + 1}`
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      throw new Error(`${place} is not JSON (${(error as Error).message}); expected {"path": …, "label": …}.`)
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`${place} is ${line.trim().slice(0, 80)}; expected {"path": …, "label": …}.`)
    return toEntry(value as Record<string, unknown>, place)
  })
}

function toEntry(record: Record<string, unknown>, place: string): ManifestEntry {
  const { path, split } = record
  if (typeof path !== 'string' || path === '')
    throw new Error(`${place} has ${Object.hasOwn(record, 'path') ? 'an empty' : 'no'} path; expected ${expectation}.`)
  const label = labelOf(record, place)
  if (split === undefined || split === null || split === '') return { path, label }
  const part = typeof split === 'string' ? splitNamed(split) : undefined
  if (!part) throw new Error(`${place} has split ${JSON.stringify(split)}; expected ${splits.join(', ')}.`)
  return { path, label, split: part }
}

/** One class by `label`; any number of them by `labels`, in JSON an array, in a table divided by bars. */
function labelOf(record: Record<string, unknown>, place: string): ManifestEntry['label'] {
  const { label, labels } = record
  if (labels === undefined || labels === null) {
    const name = nameOf(label)
    if (typeof label === 'number' && !name)
      throw new Error(`${place} has label ${label}, not the digits of the file; expected a name in quotes.`)
    if (!name) throw new Error(`${place} has no label; expected the name of a class.`)
    return name
  }
  if (label !== undefined) throw new Error(`${place} has both label and labels; expected one of them.`)
  const names = typeof labels === 'string' ? labels.split('|').map(name => name.trim()) : labels
  const all = Array.isArray(names) ? names.map(nameOf) : []
  if (labels === '' || (Array.isArray(names) && names.length === 0)) return []
  if (all.length === 0 || all.includes(undefined))
    throw new Error(
      `${place} has labels ${JSON.stringify(labels)}; expected names of classes, such as "cat|dog" or ["cat", "dog"].`,
    )
  return all as string[]
}

/** Beyond 2^53 two numbers of a file are read as one, and beyond 1e308 all. */
const isExact = (label: unknown): boolean => typeof label === 'number' && Math.abs(label) <= Number.MAX_SAFE_INTEGER

/** Without the spaces around it, which nobody sees and which would make another class. */
const nameOf = (label: unknown): string | undefined =>
  isExact(label) ? String(label) : typeof label === 'string' ? label.trim() || undefined : undefined
