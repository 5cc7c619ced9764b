/** What decode.ts needs of the machine it runs on; the package's `#decoder` is the module that has it there. */
import type { RawImage } from '../types.ts'
import type { BrokenImageReason } from './broken-image.ts'
import type { ImageFormat, ImageHeader } from './image-header.ts'

/** What the file is to blame for; its message is the end of a sentence that begins with the file's name. */
export class Refusal extends Error {
  readonly reason: BrokenImageReason

  constructor(message: string, reason: BrokenImageReason, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

/** When the decoder says no more than that it failed. */
export const refused = (cause: unknown): Refusal =>
  new Refusal('its decoder refuses it; the file may be cut off or damaged.', 'damaged', cause)

export const tooManyPixels = ({ maxPixels }: DecodeLimits, cause?: unknown): Refusal =>
  new Refusal(`it has more than ${maxPixels} pixels; raise maxPixels if that is meant.`, 'limit', cause)

export const tooSlow = ({ timeoutSeconds }: DecodeLimits, cause?: unknown): Refusal =>
  new Refusal(`it takes longer than ${timeoutSeconds} s; raise timeoutSeconds if that is meant.`, 'time', cause)

export interface DecodeLimits {
  maxPixels: number
  timeoutSeconds: number
  /** When the time is over, by performance.now(). */
  end: number
}

export interface Decoder {
  /** What can be decoded at all. */
  formats: readonly ImageFormat[]
  /** The same place as a worker knows it, where that differs. */
  locate?(source: string): string
  /**
   * The bytes of a path (Bun, Node), or of an address.
   *
   * @throws a Refusal, or another error when the file is not to blame; each the end of a sentence that begins with the name
   */
  read(source: string | URL, maxBytes: number): Promise<Uint8Array>
  /**
   * RGB pixels, turned as EXIF says.
   *
   * @throws a Refusal, or another error when the file is not to blame; each the end of a sentence
   */
  decode(bytes: Uint8Array, header: ImageHeader, limits: DecodeLimits): Promise<RawImage>
}
