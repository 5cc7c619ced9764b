/** Image files named by a list: a CSV with a header, or JSON objects one a line. */
import { stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import type { BrokenImageOptions } from '../decode-or-skip.ts'
import { readTextFile } from '../files.ts'
import { type ImageFile, type ImageFileDataset, imageFiles } from '../image-files.ts'
import { compareCodePoints } from './code-points.ts'
import { checkSplit, choosePart, type Split, type SplitOptions, splits, stratifiedSplit } from './split.ts'

export interface ManifestOptions extends BrokenImageOptions, SplitOptions {
  split: Split
  /** Names of the classes, in the order of the labels. @default those in the file, sorted */
  classes?: readonly string[]
}

/** A line as it is read. */
interface Entry {
  path: string
  label: string
  split?: Split
}

/**
 * Opens a list of images: `path` and `label`, and if there is one `split`, which is train, validation (or val) or test.
 * Without it, seeded shares of every class are held out for validation and test. Paths are relative to the list's folder.
 * Labels are the names of classes, sorted by code points, or as numbers when all are whole numbers.
 *
 * @param path a .csv (RFC 4180, with a header), a .tsv, or a .jsonl
 * @throws naming the file and the line that is wrong
 * @example
 * // flowers.csv: path,label
 * //              images/1.jpg,daisy
 * //              "images/2, from above.jpg",rose
 * const train = await openManifest('flowers.csv', { split: 'train' })
 */
export async function openManifest(path: string, options: ManifestOptions): Promise<ImageFileDataset> {
  const { split, fractions, seed, classes: given, ...rest } = options
  checkSplit(split)
  const entries = await readEntries(path)
  if (entries.length === 0) throw new Error(`${path} names no image; expected ${expectation}.`)
  const classes = given ?? classesOf(entries)
  const labels = new Map(classes.map((name, label) => [name, label]))
  const files = entries.map<ImageFile>(({ path: file, label: name }) => {
    const label = labels.get(name)
    if (label === undefined)
      throw new Error(
        `${path}: ${file} has label '${name}'; expected one of ${classes.slice(0, 10).join(', ')}${classes.length > 10 ? ', …' : ''}.`,
      )
    return { path: resolve(dirname(path), file), label }
  })
  const parts = entries.some(({ split }) => split)
    ? partsOf(entries)
    : stratifiedSplit(
        files.map(({ label }) => label),
        { fractions, seed },
      )
  const chosen = choosePart(parts, split).map(i => files[i] as ImageFile)
  if (chosen.length === 0) throw new Error(`${path} names no image for ${split}, of ${files.length}.`)
  return imageFiles(chosen, classes, rest)
}

/**
 * The splits that a list has: those it names, or all when it names none and is divided.
 *
 * @throws as openManifest does
 */
export async function manifestSplits(path: string): Promise<Split[]> {
  const entries = await readEntries(path)
  if (!entries.some(({ split }) => split)) return [...splits]
  const parts = partsOf(entries)
  return splits.filter(split => parts[split].length > 0)
}

const expectation =
  'a .csv or .tsv whose first line is path,label, or a .jsonl with {"path": …, "label": …} on each line'

async function readEntries(path: string): Promise<Entry[]> {
  const read = readers[extname(path).toLowerCase()]
  if (!read) throw new Error(`${path} is no manifest by its name; expected ${expectation}.`)
  const is = await stat(path).catch(() => undefined)
  if (!is?.isFile()) throw new Error(`${path} ${is ? 'is no file' : 'does not exist'}; expected ${expectation}.`)
  return read(await readTextFile(path), path)
}

type Reader = (text: string, path: string) => Entry[]

const readers: Readonly<Record<string, Reader>> = {
  '.csv': (text, path) => readTable(text, path, ','),
  '.tsv': (text, path) => readTable(text, path, '\t'),
  '.jsonl': readLines,
  '.ndjson': readLines,
}

function readTable(text: string, path: string, delimiter: string): Entry[] {
  try {
    const rows = parse(text, {
      delimiter,
      bom: true,
      columns: true,
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

function readLines(text: string, path: string): Entry[] {
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

function toEntry(record: Record<string, unknown>, place: string): Entry {
  const { path, label, split } = record
  if (typeof path !== 'string' || path === '')
    throw new Error(`${place} has ${Object.hasOwn(record, 'path') ? 'an empty' : 'no'} path; expected ${expectation}.`)
  const name = typeof label === 'number' ? String(label) : label
  if (typeof name !== 'string' || name === '') throw new Error(`${place} has no label; expected the name of a class.`)
  if (split === undefined || split === null || split === '') return { path, label: name }
  const part = split === 'val' ? 'validation' : (split as Split)
  if (!splits.includes(part))
    throw new Error(`${place} has split ${JSON.stringify(split)}; expected ${splits.join(', ')}.`)
  return { path, label: name, split: part }
}

function classesOf(entries: readonly Entry[]): string[] {
  const names = [...new Set(entries.map(({ label }) => label))]
  const areNumbers = names.every(name => /^\d+$/.test(name))
  return names.sort(areNumbers ? (a, b) => Number(a) - Number(b) : compareCodePoints)
}

/** An entry that says no split is one of training. */
function partsOf(entries: readonly Entry[]): Record<Split, number[]> {
  const parts: Record<Split, number[]> = { train: [], validation: [], test: [] }
  for (const [i, { split = 'train' }] of entries.entries()) parts[split].push(i)
  return parts
}
