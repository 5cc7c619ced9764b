/** What decode.ts needs of the machine it runs on; the package's `#decoder` is the module that has it there. */
import type { RawImage } from '../types.ts'
import type { ImageFormat, ImageHeader } from './image-header.ts'

/** Why there are no pixels, when the decoder says no more than that it failed. */
export const refused = 'its decoder refuses it; the file may be cut off or damaged.'

export interface DecodeLimits {
  maxPixels: number
  timeoutSeconds: number
}

export interface Decoder {
  /** What can be decoded at all. */
  formats: readonly ImageFormat[]
  /**
   * The bytes of a path (Bun, Node) or a URL (browsers).
   *
   * @throws why there are none, as the end of a sentence that begins with the name
   */
  read(source: string, maxBytes: number): Promise<Uint8Array>
  /**
   * RGB pixels, turned as EXIF says.
   *
   * @throws why there are none, as the end of a sentence
   */
  decode(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage>
}
