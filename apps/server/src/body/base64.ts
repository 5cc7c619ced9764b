/** Image files as base64 inside JSON. */
import { RequestError } from '../errors.ts'

/**
 * @param field name for the error
 * @throws RequestError unless the text is base64
 */
export function fromBase64(text: string, field: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text)
  } catch (error) {
    throw new RequestError(
      'invalid_request',
      `${field}: expected an image file in base64; addresses are not fetched.`,
      { cause: error },
    )
  }
}
