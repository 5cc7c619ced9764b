/** What runs in the browser: the test calls this function through the page. */
import { type DecodeOptions, decodeImage } from '../src/images/decode-image.ts'

/** Plain data, for the way out of the page. */
export type Decoded =
  | { width: number; height: number; channels: number; data: number[] }
  | { name: string; message: string }

async function decode(url: string, options: DecodeOptions = {}): Promise<Decoded> {
  try {
    const image = await decodeImage(url, options)
    return { ...image, data: [...image.data] }
  } catch (error) {
    const { name, message } = error as Error
    return { name, message }
  }
}

Object.assign(globalThis, { decode })
