/** Decodes an untrusted image file; what is wrong with it becomes an error of the engine. */
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

/** @throws EngineError unless the file is a complete image of an accepted format within the limits */
export async function decodeUpload(
  bytes: Uint8Array,
  limits: { maxPixels: number; timeoutSeconds: number },
): Promise<RawImage> {
  try {
    return await decodeImage(bytes, { ...limits, formats: uploadFormats })
  } catch (error) {
    if (!(error instanceof BrokenImageError)) throw error
    // The advice to raise a limit is for the server's owner, not for clients.
    throw new EngineError(codes[error.reason], error.message.replace(/; raise \w+ if that is meant/, ''))
  }
}
