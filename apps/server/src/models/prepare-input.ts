/** Turns a request's input into what a model's worker process takes: decodes images and checks everything. */
import { firstNonFinite } from '@vitral/core/finite'
import { elementsOf } from '@vitral/core/sizes'
import { EngineError, type EngineInput } from '../engine.ts'
import type { DecodedImage, Decoders } from '../workers/decoders.ts'
import type { PreparedInput } from '../workers/model-calls.ts'
import type { LoadedDescription } from '../workers/protocol.ts'

export type Decode = Decoders['decode']

/**
 * @param decode returns undefined for an image that is no longer wanted
 * @throws EngineError that says what is wrong with the input
 */
export async function prepareInput(
  input: EngineInput,
  { imageSize, numChannels }: LoadedDescription,
  decode: (image: Uint8Array) => Promise<DecodedImage | undefined>,
): Promise<PreparedInput> {
  const [height, width] = imageSize
  if ('pixelValues' in input) {
    checkPixelValues(input.pixelValues, [numChannels, height, width])
    return input
  }
  if (numChannels !== 1 && numChannels !== 3)
    throw new EngineError(
      'wrong_shape',
      `The model takes ${numChannels} channels, and an image file has 1 or 3; send pixel values instead.`,
    )
  const image = await decode(input.image)
  if (!image) throw new EngineError('cancelled', 'The request ended before its image was decoded.')
  if (image.height !== height || image.width !== width)
    throw new EngineError(
      'wrong_shape',
      `The image is ${image.height}×${image.width}; expected ${height}×${width}, as the model's processor does not resize.`,
    )
  return { pixels: image.pixels, free: image.free }
}

function checkPixelValues(values: Float32Array, shape: readonly number[]): void {
  const size = elementsOf(shape)
  if (values.length !== size)
    throw new EngineError(
      'wrong_shape',
      `The input has ${values.length} values; expected ${size}, [${shape.join(', ')}].`,
    )
  const wrong = firstNonFinite(values)
  if (wrong >= 0)
    throw new EngineError(
      'non_finite_input',
      `Value ${wrong} of the input is ${values[wrong]}; expected finite values.`,
    )
}
