/** Reads untrusted JSON: the nesting depth is checked before parsing, and the result is validated by a schema. */
import { z } from '@hono/zod-openapi'
import { RequestError } from '../errors.ts'

/**
 * Limits a schema to a number of items or fields. Zod alone would look at each of a million before it counts them, and make an
 * error of each that is wrong.
 */
export const atMost = <Schema extends z.ZodType>(most: number, schema: Schema): z.ZodType<z.output<Schema>> =>
  z.preprocess((value, context) => {
    if (typeof value !== 'object' || value === null) return value
    const count = Array.isArray(value) ? value.length : Object.keys(value).length
    if (count <= most) return value
    context.addIssue({ code: 'custom', message: `has ${count} items; expected at most ${most}` })
    return z.NEVER
  }, schema)

/** @throws RequestError that says what is wrong, and where */
export function readJson<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  maxDepth: number,
): z.output<Schema> {
  checkDepth(bytes, maxDepth)
  let value: unknown
  try {
    // ignoreBOM keeps a byte-order mark, which the parser then rejects.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw new RequestError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause: error })
  }
  const { data, error } = schema.safeParse(value)
  if (!error) return data as z.output<Schema>
  const [issue] = error.issues
  throw new RequestError(
    'invalid_request',
    `${issue?.path.join('.').slice(0, 100) || 'The body'}: ${issue?.message.slice(0, 200)}.`,
  )
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = new TextEncoder().encode('"\\[]{}')

function checkDepth(bytes: Uint8Array, maxDepth: number): void {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at + 1)
    else if (byte === openArray || byte === openObject) {
      if (++depth > maxDepth)
        throw new RequestError('invalid_request', `The JSON is nested more than ${maxDepth} levels deep.`)
    } else if (byte === closeArray || byte === closeObject) depth--
  }
}

/** Skips from quote to quote, which is fast in a long string, such as an image in base64. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(quote as number, from); at !== -1; at = bytes.indexOf(quote as number, at + 1)) {
    let backslashes = 0
    while (at - 1 - backslashes >= from && bytes[at - 1 - backslashes] === backslash) backslashes++
    if (backslashes % 2 === 0) return at
  }
  return bytes.length
}
