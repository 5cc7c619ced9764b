/** Image files in browsers: fetched where they are an address, and decoded by the browser. */
import { decodeInBrowser } from './decode-in-browser.ts'
import { type EncodedSource, nameOfSource } from './image-source.ts'
import type { RawImage } from './raw-image.ts'

/** More would be an attack, or a mistake; @vitral/datasets has options for it. */
const [mostBytes, mostPixels] = [2 ** 27, 2 ** 26]

export async function decodeFile(source: EncodedSource): Promise<RawImage> {
  const name = nameOfSource(source)
  const fail = (why: string, cause?: unknown): never => {
    throw new Error(`${name} ${why}`, { cause })
  }
  const bytes = await bytesOf(source, fail)
  if (bytes.length === 0) fail('is empty; expected an image file.')
  if (bytes.length > mostBytes) fail(`has ${bytes.length} bytes; expected at most ${mostBytes}.`)
  const check = ({ width, height }: { width: number; height: number }): void => {
    if (width * height > mostPixels) fail(`has ${width}×${height} pixels; expected at most ${mostPixels}.`)
  }
  try {
    return await decodeInBrowser(bytes, check)
  } catch (error) {
    const { message } = error as Error
    if (message.startsWith(name)) throw error
    return fail(
      `cannot be decoded by this browser (${message}); expected a whole JPEG, PNG, WebP, AVIF, GIF or BMP.`,
      error,
    )
  }
}

async function bytesOf(source: EncodedSource, fail: (why: string, cause?: unknown) => never): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (typeof source === 'object' && 'arrayBuffer' in source)
    return new Uint8Array(await source.arrayBuffer().catch(error => fail(`cannot be read (${error.message}).`, error)))
  const response = await fetch(source).catch(error => fail(`cannot be reached (${error.message}).`, error))
  if (!response.ok) fail(`answered ${response.status} ${response.statusText}; expected an image file.`)
  return new Uint8Array(await response.arrayBuffer().catch(error => fail(`broke off (${error.message}).`, error)))
}
