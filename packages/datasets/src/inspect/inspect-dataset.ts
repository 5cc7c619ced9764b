/** Reads every image of a data set once, and says what is there: classes, sizes, broken files, a digest of each content. */
import { createHash } from 'node:crypto'
import { BrokenImageError } from '../images/broken-image.ts'
import { SkippedExample } from '../images/skipped-example.ts'
import { prefetch } from '../loader/prefetch.ts'
import type { Dataset, RawImage } from '../types.ts'

/** What `inspectDataset` found. */
export interface Inspection {
  /** Number of examples. */
  count: number
  /** Images that can be decoded, of each class, in the order of the labels; one with several labels counts for each. */
  classes: { name: string; count: number }[]
  /** Most frequent first. */
  sizes: { width: number; height: number; count: number }[]
  /** Images that cannot be decoded. */
  broken: { index: number; reason: string }[]
  /** Label and digest of each example; equal pixels have equal digests. Undefined where the image is broken. */
  contents: (Content | undefined)[]
}

/** Label and digest of an image that can be decoded. */
export interface Content {
  /** See Example. */
  label: number
  /** SHA-256 of the pixels. */
  digest: string
}

/** Settings of `inspectDataset`. */
export interface InspectOptions {
  /** Called after each image with how many are done. */
  onProgress?: (done: number) => void
  /** Images that are decoded at a time. @default 16 */
  ahead?: number
}

/**
 * Inspects a data set.
 *
 * @throws what `get` throws, unless it is that an image is broken
 * @example
 * const { count, broken } = await inspectDataset(await openImageFolder('flowers', { split: 'train' }))
 */
export async function inspectDataset(
  dataset: Dataset,
  { onProgress, ahead }: InspectOptions = {},
): Promise<Inspection> {
  const { length } = dataset
  const counts = dataset.classes.map(() => 0)
  const sizes = new Map<string, Inspection['sizes'][number]>()
  const broken: Inspection['broken'] = []
  const contents: Inspection['contents'] = []
  const next = prefetch(length, index => inspect(dataset, index), ahead)
  for (let index = 0; index < length; index++) {
    const outcome = await next()
    if ('reason' in outcome) broken.push({ index, reason: outcome.reason })
    else {
      const { label, labels, digest, width, height } = outcome
      for (const one of labels) counts[one] = (counts[one] ?? 0) + 1
      const size = sizes.get(`${width}×${height}`) ?? { width, height, count: 0 }
      size.count++
      sizes.set(`${width}×${height}`, size)
      contents[index] = { label, digest }
    }
    onProgress?.(index + 1)
  }
  contents.length = length
  return {
    count: length,
    classes: dataset.classes.map((name, label) => ({ name, count: counts[label] as number })),
    sizes: [...sizes.values()].sort((a, b) => b.count - a.count || a.width - b.width || a.height - b.height),
    broken,
    contents,
  }
}

type Outcome = (Content & { labels: readonly number[]; width: number; height: number }) | { reason: string }

async function inspect(dataset: Dataset, index: number): Promise<Outcome> {
  try {
    const { image, label, labels = [label] } = await dataset.get(index)
    return { label, labels, digest: digestOf(image), width: image.width, height: image.height }
  } catch (error) {
    if (error instanceof BrokenImageError || error instanceof SkippedExample) return { reason: error.message }
    throw error
  }
}

const digestOf = ({ data, width, height, channels }: RawImage): string =>
  createHash('sha256').update(`${width} ${height} ${channels} `).update(data).digest('base64')
