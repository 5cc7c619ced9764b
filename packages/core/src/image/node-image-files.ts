/** Image files in Node and Bun: decoded by @vitral/datasets, which has the decoders, where it is installed. */
import type { EncodedSource } from './image-source.ts'
import type { RawImage } from './raw-image.ts'

type DecodeImage = (source: EncodedSource) => Promise<RawImage>

export async function decodeFile(source: EncodedSource): Promise<RawImage> {
  const name = '@vitral/datasets/images' // not a literal: the package is optional, for bundlers too
  const { decodeImage } = await (import(/* @vite-ignore */ name) as Promise<{ decodeImage: DecodeImage }>).catch(
    cause => {
      throw new Error(
        `Image files are decoded by @vitral/datasets, which cannot be loaded (${(cause as Error).message}). Add it with npm install @vitral/datasets, or give pixels: { data, width, height, channels }.`,
        { cause },
      )
    },
  )
  return decodeImage(source)
}
