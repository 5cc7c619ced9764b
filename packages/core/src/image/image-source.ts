/** What an image may be given as: pixels, what a page shows, or a file by its path, its address or its bytes. */
import type { RawImage } from './raw-image.ts'

/** An ImageBitmap. */
export interface BitmapImage {
  readonly width: number
  readonly height: number
  close(): void
}

/** A canvas of a page, or an OffscreenCanvas. */
export interface CanvasImage {
  readonly width: number
  readonly height: number
  getContext(kind: '2d'): unknown
}

/** An ImageData of bytes; RGBA. */
export interface DataImage {
  readonly width: number
  readonly height: number
  readonly data: ArrayLike<number>
  readonly colorSpace: string
}

/** A video element: its current picture. */
export interface VideoImage {
  readonly videoWidth: number
  readonly videoHeight: number
}

/** A VideoFrame. */
export interface FrameImage {
  readonly displayWidth: number
  readonly displayHeight: number
}

/** An image element: the file that it shows. */
export interface ElementImage {
  readonly currentSrc: string
  readonly naturalWidth: number
}

/** Pixels that a page has; they are read at once. */
export type PixelSource = BitmapImage | CanvasImage | DataImage | VideoImage | FrameImage

/** A file: its path (in browsers its address), or its bytes; a File is a Blob. */
export type EncodedSource = string | URL | Uint8Array | ArrayBuffer | Blob

/** Everything that is an image. */
export type ImageSource = RawImage | PixelSource | EncodedSource | ElementImage

/** Classes of a page by name: another realm, such as a frame's, has classes of its own. */
const kindOf = (source: unknown): string => Object.prototype.toString.call(source).slice(8, -1)

const pixelKinds: ReadonlySet<string> = new Set([
  ...['ImageBitmap', 'HTMLCanvasElement', 'OffscreenCanvas'],
  ...['ImageData', 'HTMLVideoElement', 'VideoFrame'],
])

/** Whether an image's pixels can be read where it is. */
export const isPixelSource = (source: unknown): source is PixelSource => pixelKinds.has(kindOf(source))

/** Whether it is an image of bytes: { data, width, height, channels }. */
export const isRawImage = (source: unknown): source is RawImage =>
  typeof source === 'object' && source !== null && 'data' in source && 'channels' in source

/**
 * What of a source is decoded: an image element's address in its place.
 *
 * @throws for what is no image
 */
export function encodedSource(source: unknown): EncodedSource {
  const kind = kindOf(source)
  if (kind === 'HTMLImageElement') return (source as ElementImage).currentSrc || (source as { src: string }).src
  if (['String', 'URL', 'Uint8Array', 'ArrayBuffer', 'Blob', 'File'].includes(kind) && typeof source !== 'undefined')
    return source as EncodedSource
  if (source instanceof Uint8Array) return source // Node's Buffer
  throw new Error(
    `${withArticle(kind)} is no image; expected pixels ({ data, width, height, channels }), a path or address, a file's bytes (Uint8Array, ArrayBuffer, Blob, File), an ImageData, ImageBitmap, canvas, video or VideoFrame.`,
  )
}

/** What messages call an image. */
export function nameOfSource(source: EncodedSource | PixelSource): string {
  if (typeof source === 'string') return source.startsWith('data:') ? `${source.slice(0, 30)}…` : source
  if (source instanceof URL) return source.href
  if (isPixelSource(source)) return withArticle(kindOf(source))
  const { size, name, webkitRelativePath } = source as Partial<File>
  return webkitRelativePath || name || `An image of ${size ?? (source as Uint8Array).byteLength} bytes`
}

const withArticle = (kind: string): string => `${/^([AEIOU]|HTML)/.test(kind) ? 'An' : 'A'} ${kind}`
