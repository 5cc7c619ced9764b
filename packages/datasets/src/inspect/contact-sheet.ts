/** A picture of what a model will see: images as they are, as evaluation prepares them, and as training does, again and again. */

import { subset } from '../datasets/subset.ts'
import { createLoader } from '../loader/loader.ts'
import type { Batch, BatchTransform, Dataset, Example, RawImage, Transform, TransformSpec } from '../types.ts'

/** What a contact sheet shows. */
export interface ContactSheetOptions {
  /** Examples to show, a row each. */
  indices: readonly number[]
  /** The chains for evaluation and for training. */
  evaluation: readonly Transform[]
  /** Transforms of training. */
  training: readonly Transform[]
  /** Transforms of training's batches, such as mixUp: each row is then mixed with the one above it. @default [] */
  batches?: readonly BatchTransform[]
  /** Columns of what training sees. @default 6 */
  copies?: number
  /** Seed for the transforms, uint32. @default 0 */
  seed?: number
}

/** A taller sheet would be of no use to anyone, and would not fit into memory by and by. */
export const mostSheetRows = 64

const margin = 8
const caption = 20
/** Room for the name of a class beside its row. */
const names = 160
/** Tiles smaller than this are enlarged, pixel by pixel. */
const leastTile = 96

/**
 * Draws the sheet.
 *
 * @returns a PNG
 * @throws when there are more than 64 indices, an image cannot be decoded, or the transforms make images of different sizes
 * @example
 * await writeFile('sheet.png', await contactSheet(train, { indices: [0, 1, 2], evaluation, training }))
 */
export async function contactSheet(dataset: Dataset, options: ContactSheetOptions): Promise<Uint8Array> {
  const { indices, evaluation, training, batches = [], copies = 6, seed = 0 } = options
  if (indices.length === 0) throw new Error('A contact sheet of no images was asked for; expected at least one index.')
  if (indices.length > mostSheetRows)
    throw new Error(`A contact sheet of ${indices.length} images was asked for; expected at most ${mostSheetRows}.`)
  const { default: sharp } = await import('sharp')
  const rows = subset(dataset, indices)
  const examples: Example[] = []
  for (const [row] of indices.entries()) examples.push(await rows.get(row))
  const seen = [await firstBatch(rows, evaluation, [], seed, 0)]
  for (let epoch = 0; epoch < copies; epoch++) seen.push(await firstBatch(rows, training, batches, seed, epoch))

  const [, , height, width] = (seen[0] as Batch).pixelValues.shape
  const scale = Math.max(1, Math.ceil(leastTile / Math.min(width, height)))
  const tile = { width: width * scale, height: height * scale }
  const left = (column: number): number => names + column * (tile.width + margin)
  const top = (row: number): number => caption + margin + row * (tile.height + margin)

  const draw = async (image: RawImage, fit: 'contain' | 'fill', column: number, row: number): Promise<Tile> => {
    const raw = { width: image.width, height: image.height, channels: image.channels as 1 | 3 }
    const kernel = fit === 'fill' || scale > 1 ? 'nearest' : 'lanczos3'
    const drawn = sharp(image.data, { raw }).resize(tile.width, tile.height, { fit, kernel, background: paper })
    return { input: await drawn.png().toBuffer(), left: left(column), top: top(row) }
  }
  const tiles: Tile[] = []
  const texts = ['the image', 'evaluation', 'training, each time anew'].map((text, column) => ({
    text,
    x: left(column),
    y: caption - 4,
  }))
  for (const [row, { image, label }] of examples.entries()) {
    tiles.push(await draw(image, 'contain', 0, row))
    for (const [i, batch] of seen.entries())
      tiles.push(await draw(imageOf(batch, row, i === 0 ? evaluation : training), 'fill', i + 1, row))
    texts.push({ text: shorten(rows.classes[label] as string), x: margin, y: top(row) + tile.height / 2 })
  }
  const sheet = { width: left(seen.length + 1), height: top(examples.length), channels: 3 as const, background: paper }
  return sharp({ create: sheet })
    .composite([...tiles, { input: Buffer.from(svg(sheet, texts)), left: 0, top: 0 }])
    .png()
    .toBuffer()
}

interface Tile {
  input: Buffer
  left: number
  top: number
}

const paper = '#ffffff'

async function firstBatch(
  rows: Dataset,
  transforms: readonly Transform[],
  batchTransforms: readonly BatchTransform[],
  seed: number,
  epoch: number,
): Promise<Batch> {
  const loader = createLoader(rows, { transforms, batchTransforms, batchSize: rows.length, seed })
  try {
    return (await loader.batches({ epoch }).next()).value as Batch
  } finally {
    await loader.close()
  }
}

/** The bytes that the floats of a batch were before toTensor and normalize. */
function imageOf({ pixelValues: { data, shape } }: Batch, row: number, transforms: readonly Transform[]): RawImage {
  const [, channels, height, width] = shape
  const plane = height * width
  const normalizations = normalizationsIn(transforms).reverse()
  const bytes = new Uint8Array(plane * channels)
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++) {
      let value = data[(row * channels + c) * plane + i] as number
      for (const { args } of normalizations) {
        const [mean, std] = args as [number[], number[]]
        value = value * (std[c] as number) + (mean[c] as number)
      }
      bytes[i * channels + c] = Math.min(255, Math.max(0, Math.round(value * 255)))
    }
  return { data: bytes, width, height, channels }
}

/** In their order, those inside of compose among them. */
const normalizationsIn = (transforms: readonly TransformSpec[]): TransformSpec[] =>
  transforms.flatMap(spec => {
    if (spec.name === 'compose') return normalizationsIn(spec.args[0] as TransformSpec[])
    return spec.name === 'normalize' ? [spec] : []
  })

const shorten = (text: string): string => (text.length > 20 ? `${text.slice(0, 19)}…` : text)

function svg(size: { width: number; height: number }, texts: { text: string; x: number; y: number }[]): string {
  const lines = texts.map(({ text, x, y }) => `<text x="${x}" y="${y}">${toXml(text)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="sans-serif" font-size="13" fill="#222">${lines.join('')}</svg>`
}

/** Names of folders may hold anything; XML allows no control characters. */
const toXml = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/[<>&"']/g, character => `&#${character.charCodeAt(0)};`)
