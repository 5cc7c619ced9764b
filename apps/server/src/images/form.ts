/**
 * Parser of a form's files (multipart/form-data, RFC 7578). Other parsers copy each file once or twice, create objects for a
 * million empty parts, or need seventy times as many steps for a boundary of one repeated letter.
 */
import type { Config } from '../config.ts'
import { RequestError } from '../errors.ts'

/** Longest boundary, by RFC 2046. */
const longestBoundary = 70
/** Longest header of a part, in bytes: a name, a file's name and a type. */
const longestHeader = 16 * 1024

/** The form of one request. */
export class Form {
  readonly #delimiter: Buffer
  readonly #maxImages: number
  readonly #maxParts: number
  /** Last bytes that arrived, as a delimiter may be cut there. */
  #end: Uint8Array = new Uint8Array()
  #delimiters = 0

  /**
   * @param contentType the header Content-Type
   * @throws RequestError if there is no boundary
   */
  constructor(contentType: string, { imagesPerRequest }: Pick<Config['limits'], 'imagesPerRequest'>) {
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? []
    const boundary = quoted ?? plain ?? ''
    if (boundary === '' || boundary.length > longestBoundary) throw malformed()
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#maxImages = imagesPerRequest
    // A form has other fields beside its files.
    this.#maxParts = 2 * imagesPerRequest
  }

  /**
   * Counts the parts in the bytes as they arrive.
   *
   * @throws RequestError if there are too many
   */
  watch(bytes: Uint8Array): void {
    const text = Buffer.concat([this.#end, bytes])
    let rest = 0
    for (let at = text.indexOf(this.#delimiter); at >= 0; at = text.indexOf(this.#delimiter, rest)) {
      rest = at + this.#delimiter.length
      // Each part ends with a delimiter.
      if (++this.#delimiters > this.#maxParts)
        throw new RequestError(
          'too_many_inputs',
          `The form has more than ${this.#maxParts} parts; expected at most ${this.#maxImages} images.`,
        )
    }
    this.#end = text.subarray(Math.max(rest, text.length - this.#delimiter.length + 1))
  }

  /**
   * @param body the whole form
   * @returns the content of each part that has a file name, as a view of the body
   * @throws RequestError if the form is malformed or truncated
   */
  files(body: Uint8Array): Uint8Array[] {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const files: Uint8Array[] = []
    // The first delimiter needs no line end before it.
    const isFirst = text.subarray(0, this.#delimiter.length - 2).equals(this.#delimiter.subarray(2))
    for (let at = isFirst ? this.#delimiter.length - 2 : this.#endOfDelimiter(text, 0); ; ) {
      if (text.subarray(at, at + 2).toString() === '--') return files
      const header = text.subarray(at, at + longestHeader)
      const end = header.indexOf('\r\n\r\n')
      if (end < 0) throw malformed()
      const start = at + end + 4
      at = this.#endOfDelimiter(text, start)
      if (/;\s*filename\*?\s*=/i.test(header.toString('latin1', 0, end)))
        files.push(body.subarray(start, at - this.#delimiter.length))
    }
  }

  #endOfDelimiter(text: Buffer, from: number): number {
    const at = text.indexOf(this.#delimiter, from)
    if (at < 0) throw malformed()
    return at + this.#delimiter.length
  }
}

const malformed = (): RequestError =>
  new RequestError('invalid_request', 'The form is malformed or truncated, or its boundary is missing.')
