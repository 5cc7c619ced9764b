/** Reads an inference request: JSON, JSON followed by binary tensors, or a single raw tensor. */
import { readImageHeader } from '@vitral/datasets/images'
import { readJson } from '../body/json.ts'
import type { Config } from '../config.ts'
import type { EngineInput, ModelDescription } from '../engine.ts'
import { RequestError } from '../errors.ts'
import { readInput } from './read-input.ts'
import { type InferRequest, inferRequestSchema } from './schemas.ts'

interface ReadRequest extends Pick<InferRequest, 'id' | 'outputs' | 'parameters'> {
  inputs: EngineInput[]
}

/**
 * @param headerLength the header Inference-Header-Content-Length
 * @throws RequestError
 */
export function readRequest(
  body: Uint8Array,
  headerLength: string | undefined,
  model: ModelDescription,
  limits: Config['limits'],
): ReadRequest {
  if (headerLength === undefined) return read(body, new Uint8Array(0), model, limits)
  const length = Number(headerLength)
  if (!/^\d{1,15}$/.test(headerLength) || length > body.length)
    throw new RequestError(
      'invalid_request',
      `Inference-Header-Content-Length is not a number of bytes up to the body's ${body.length}.`,
    )
  if (length === 0) return readRaw(body, model, limits)
  return read(body.subarray(0, length), body.subarray(length), model, limits)
}

function read(json: Uint8Array, binary: Uint8Array, model: ModelDescription, limits: Config['limits']): ReadRequest {
  if (json.length > limits.jsonBytes)
    throw new RequestError('body_too_large', `The JSON is larger than ${limits.jsonBytes} bytes; send binary tensors.`)
  const { inputs, ...request } = readJson(json, inferRequestSchema, limits.jsonDepth)
  const [input] = inputs as [InferRequest['inputs'][number]]
  const size = input.parameters.binary_data_size ?? 0
  if (size !== binary.length)
    throw new RequestError(
      'invalid_request',
      `The body has ${binary.length} bytes after its JSON; binary_data_size says ${size}.`,
    )
  return { ...request, inputs: readInput(input, binary, model, limits) }
}

/** Reads a raw body: one image, as a file or as pixel values; the answer is binary. */
function readRaw(body: Uint8Array, model: ModelDescription, limits: Config['limits']): ReadRequest {
  const [height, width] = model.imageSize
  // The first bytes decide before the length does: a file may happen to be as long as the pixel values.
  const isPixels = !isImageFile(body) && body.length === model.numChannels * height * width * 4
  const common = { parameters: { binary_data_size: body.length } }
  const input = isPixels
    ? ({ name: 'pixel_values', datatype: 'FP32', shape: [1, model.numChannels, height, width], ...common } as const)
    : ({ name: 'image', datatype: 'BYTES', shape: [1], ...common } as const)
  // A raw file has no length prefix, unlike one among several.
  const binary = isPixels ? body : withLength(body)
  return {
    inputs: readInput({ ...input, shape: [...input.shape] }, binary, model, limits),
    outputs: [{ name: 'logits', parameters: {} }],
    parameters: { binary_data_output: true },
  }
}

/** Whether the body is an image file: its first bytes are floats that no processor gives, in JPEG files -2047 or beyond. */
function isImageFile(body: Uint8Array): boolean {
  const header = readImageHeader(body)
  return header !== undefined && (header.format !== 'jpeg' || (body[3] ?? 0) >= 0xc4)
}

function withLength(bytes: Uint8Array): Uint8Array {
  const joined = new Uint8Array(4 + bytes.length)
  new DataView(joined.buffer).setUint32(0, bytes.length, true)
  joined.set(bytes, 4)
  return joined
}
