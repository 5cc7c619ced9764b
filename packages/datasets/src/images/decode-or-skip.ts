/** Decodes an example's image; one that is broken ends the run or is left out of it, as the user has chosen. */

import type { ImageSource } from '@vitral/core/image'
import type { RawImage } from '../types.ts'
import { BrokenImageError } from './broken-image.ts'
import { type DecodeOptions, decodeImage } from './decode-image.ts'
import { SkippedExample } from './skipped-example.ts'

/** What a data set does about broken images. */
export interface BrokenImageOptions {
  /**
   * What an image does that is missing or cannot be decoded: 'raise' ends the epoch with an error that names it, 'skip' leaves it out
   * of its batch, which lists it in `skipped`. @default 'raise'
   */
  onBroken?: 'raise' | 'skip'
  /** Limits on what is decoded. */
  decode?: DecodeOptions
}

/** @throws BrokenImageError, or SkippedExample in its place; UnreadableImageError in any case */
export async function decodeOrSkip(
  source: ImageSource,
  { onBroken = 'raise', decode }: BrokenImageOptions,
): Promise<RawImage> {
  try {
    return await decodeImage(source, decode)
  } catch (error) {
    if (onBroken === 'raise' || !(error instanceof BrokenImageError)) throw error
    throw new SkippedExample(error.message, { cause: error })
  }
}
