/** Finds the files of CIFAR in a folder and refuses, before any record is read, what is missing or has a wrong size. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describeForeignFile, exists, readTextFile } from '../files/read-files.ts'
import type { CifarLayout } from './cifar-layout.ts'

/** Bytes of a record's pixels: three planes of 32×32. */
export const pixelBytes: number = 3 * 32 * 32

export interface CifarFolder {
  /** Paths of the split's files, in the order of the examples. */
  files: { path: string; records: number }[]
  /** Names of the classes for each label byte. */
  classes: string[][]
}

/**
 * Checks one split of a folder.
 *
 * @throws naming the file that is missing, truncated or something else
 */
export async function checkCifar(layout: CifarLayout, folder: string, split: 'train' | 'test'): Promise<CifarFolder> {
  if (split !== 'train' && split !== 'test') throw new Error(`split is '${split}'; expected 'train' or 'test'.`)
  const root = await findRoot(layout, folder)
  const counts = await readRecordCounts(layout, root)
  const files = (split === 'test' ? [layout.testFile] : layout.trainFiles).flatMap(file => {
    const records = counts[file]
    return records === undefined ? [] : { path: join(root, file), records }
  })
  if (files.length === 0) throw new Error(`${join(root, 'records.json')} names no file of the ${split} split.`)
  const classFiles = layout.labels.map(({ classesFile }) => join(root, classesFile))
  for (const path of [...files.map(({ path }) => path), ...classFiles])
    if (!(await exists(path))) throw new Error(`${path} is missing. Expected ${rightFolder(layout)}`)
  for (const { path, records } of files) await checkSize(layout, path, records)
  const classes: string[][] = []
  for (const { classesFile, classes: count } of layout.labels)
    classes.push(await readClasses(join(root, classesFile), count))
  return { files, classes }
}

async function findRoot(layout: CifarLayout, folder: string): Promise<string> {
  const { name, testFile, trainFiles, labels, python, archive } = layout
  for (const root of [folder, join(folder, archive.folder)])
    for (const file of [testFile, trainFiles[0] as string, ...labels.map(({ classesFile }) => classesFile)])
      if (await exists(join(root, file))) return root
  for (const file of python)
    if (await exists(join(folder, file)))
      throw new Error(
        `${folder} has the Python version of ${name}; expected the binary version, whose files end in .bin: ${rightFolder(layout)}`,
      )
  throw new Error(`${folder} has no ${name}. Expected ${rightFolder(layout)}`)
}

const rightFolder = ({ trainFiles, testFile, labels, archive, downloader }: CifarLayout): string => {
  const train = trainFiles.length > 1 ? `${trainFiles[0]} … ${trainFiles.at(-1)}` : trainFiles[0]
  const classFiles = labels.map(({ classesFile }) => classesFile)
  const names = [train, testFile, ...classFiles.slice(0, -1)].join(', ')
  const packed = archive.url.slice(archive.url.lastIndexOf('/') + 1)
  return `a folder, or the one above it, with ${names} and ${classFiles.at(-1)}, as ${packed} unpacks to; ${downloader}(folder) gets it.`
}

async function readRecordCounts({ records }: CifarLayout, root: string): Promise<Readonly<Record<string, number>>> {
  const path = join(root, 'records.json')
  if (!(await exists(path))) return records
  const names = Object.keys(records)
  const expected = `expected an object such as { "${names[0]}": 1500, "${names.at(-1)}": 300 }.`
  let counts: unknown
  try {
    counts = JSON.parse(await readTextFile(path))
  } catch (error) {
    throw new Error(`${path} is not JSON (${(error as Error).message}); ${expected}`)
  }
  if (typeof counts !== 'object' || counts === null || Array.isArray(counts))
    throw new Error(`${path} holds ${JSON.stringify(counts)}; ${expected}`)
  for (const [file, count] of Object.entries(counts))
    if (!Object.hasOwn(records, file) || !Number.isInteger(count) || count < 1 || count > (records[file] as number))
      throw new Error(`${path} says ${JSON.stringify(file)}: ${JSON.stringify(count)}; ${expected}`)
  return counts as Record<string, number>
}

async function readClasses(path: string, count: number): Promise<string[]> {
  const classes = (await readTextFile(path)).split('\n').flatMap(line => line.trim() || [])
  if (classes.length !== count || new Set(classes).size !== count)
    throw new Error(`${path} names ${classes.length} classes; expected ${count} different ones, one a line.`)
  return classes
}

async function checkSize({ name, labels, downloader }: CifarLayout, path: string, records: number): Promise<void> {
  const { size } = await stat(path)
  const recordBytes = labels.length + pixelBytes
  const expected = records * recordBytes
  if (size === expected) return
  const foreign = await describeForeignFile(path)
  const what = foreign ?? (size < expected ? 'it is truncated' : `it is not this file of ${name}`)
  throw new Error(
    `${path} has ${size} bytes; expected ${expected} (${records} records of ${recordBytes}): ${what}. Get the file again, for instance by ${downloader}.`,
  )
}
