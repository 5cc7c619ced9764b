/** Image files inside of JSON. */
import { RequestError } from '../errors.ts'

/**
 * @param field names it in the error
 * @throws RequestError
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
