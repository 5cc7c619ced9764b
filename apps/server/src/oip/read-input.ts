/** Converts a tensor of the protocol to images; nothing is allocated by a shape before the data is known to be as large. */

import { elementsOf } from '@vitral/core/sizes'
import { fromBase64 } from '../body/base64.ts'
import type { Config } from '../config.ts'
import type { EngineInput, ModelDescription } from '../engine.ts'
import { RequestError } from '../errors.ts'
import { checkImage } from '../images/check-image.ts'
import type { InferInput } from './schemas.ts'

/** @throws RequestError */
export function readInput(
  input: InferInput,
  binary: Uint8Array,
  model: ModelDescription,
  limits: Config['limits'],
): EngineInput[] {
  const isBinary = input.parameters.binary_data_size !== undefined
  if (isBinary === (input.data !== undefined)) throw wrong(`Input ${input.name} needs either data or binary_data_size.`)
  const [count = 0] = input.shape
  if (count > limits.imagesPerRequest)
    throw new RequestError(
      'too_many_inputs',
      `The request has ${count} images; expected at most ${limits.imagesPerRequest}.`,
    )
  return input.name === 'image' ? readFiles(input, binary, limits) : readPixels(input, binary, model)
}

/** Reads pixel values of shape [B, channels, height, width], the model's own but for B; the engine checks that they are finite. */
function readPixels({ shape, datatype, data }: InferInput, binary: Uint8Array, model: ModelDescription): EngineInput[] {
  const [count = 0, ...imageShape] = shape
  const expected = [model.numChannels, ...model.imageSize]
  if (datatype !== 'FP32') throw wrong(`Input pixel_values has datatype ${datatype}; expected FP32.`)
  if (count < 1 || imageShape.length !== 3 || imageShape.some((size, i) => size !== expected[i]))
    throw new RequestError('wrong_shape', `Input pixel_values has shape [${shape}]; expected [-1,${expected}].`)
  const size = elementsOf(expected)
  const values = data ? flatten(data, count * size) : readFloats(binary, count * size)
  return Array.from({ length: count }, (_, i) => ({ pixelValues: values.subarray(i * size, (i + 1) * size) }))
}

/** Reads image files of shape [B] or [B, 1]: base64 in JSON; in binary, each file's length (uint32, little-endian) and bytes. */
function readFiles({ shape, datatype, data }: InferInput, binary: Uint8Array, limits: Config['limits']): EngineInput[] {
  if (datatype !== 'BYTES') throw wrong(`Input image has datatype ${datatype}; expected BYTES.`)
  const [count = 0, ...rest] = shape
  if (count < 1 || rest.length > 1 || rest.some(size => size !== 1))
    throw new RequestError('wrong_shape', `Input image has shape [${shape}]; expected [-1].`)
  const files = data ? decodeFiles(data, count) : splitFiles(binary, count)
  for (const image of files) checkImage(image, limits)
  return files.map(image => ({ image }))
}

/** Decodes image files as Triton's clients write them in JSON: base64 strings, flat or nested by the shape. */
function decodeFiles(data: unknown[], count: number): Uint8Array[] {
  const texts = data.flat()
  if (texts.length !== count) throw wrong(`Input image has ${texts.length} files; its shape says ${count}.`)
  return texts.map(text => {
    if (typeof text !== 'string')
      throw wrong('Input image has data that are not strings; expected image files in base64.')
    return fromBase64(text, 'Input image')
  })
}

function splitFiles(binary: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength)
  const images: Uint8Array[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const end = at + 4 <= binary.length ? at + 4 + view.getUint32(at, true) : Infinity
    if (end > binary.length) throw wrong(`Input image ends within file ${i}.`)
    images.push(binary.subarray(at + 4, end))
    at = end
  }
  if (at !== binary.length) throw wrong(`Input image has ${binary.length - at} bytes after its last file.`)
  return images
}

function readFloats(binary: Uint8Array, size: number): Float32Array {
  if (binary.length !== size * 4) throw wrong(`Input pixel_values has ${binary.length} bytes; expected ${size * 4}.`)
  // The bytes are copied, as after JSON of any length they may not begin at a multiple of four.
  return new Float32Array(binary.slice().buffer)
}

/** Flattens nested or flat data, row by row; its depth was limited when it was parsed. */
function flatten(data: unknown[], size: number): Float32Array {
  const values = new Float32Array(size)
  let count = 0
  const copy = (array: unknown[]): void => {
    for (const value of array)
      if (Array.isArray(value)) copy(value)
      else if (typeof value !== 'number') throw wrong('Input pixel_values has data that are not numbers.')
      else values[count++] = value
  }
  copy(data)
  if (count !== size) throw wrong(`Input pixel_values has ${count} numbers; its shape says ${size}.`)
  return values
}

const wrong = (message: string): RequestError => new RequestError('invalid_request', message)
