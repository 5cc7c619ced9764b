/** A stranger's image file to RGB bytes, with what is wrong with it in the engine's words. */
import { BrokenImageError, decodeImage, type RawImage } from '@vitral/datasets'
import type { BrokenImageReason } from '@vitral/datasets/images'
import { EngineError, type EngineErrorCode } from '../../engine.ts'
import { uploadFormats } from '../../images/upload-formats.ts'

const codes: Record<BrokenImageReason, EngineErrorCode> = {
  format: 'unsupported_format',
  limit: 'image_too_large',
  time: 'image_too_slow',
  damaged: 'image_corrupt',
}

/** @throws EngineError, unless it is a whole image of a format that is taken, within the limits */
export async function decodeUpload(
  bytes: Uint8Array,
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<RawImage> {
  try {
    return await decodeImage(bytes, { ...limits, formats: uploadFormats })
  } catch (error) {
    if (!(error instanceof BrokenImageError)) throw error
    // The advice is for who sets the limit.
    throw new EngineError(codes[error.reason], error.message.replace(/; raise \w+ if that is meant/, ''))
  }
}
