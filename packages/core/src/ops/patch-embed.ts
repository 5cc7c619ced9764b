/** Patch embedding: cuts images into patches and projects each to a token. */
import {
  add,
  matMul,
  reshape,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor3D,
  type Tensor4D,
  transpose,
} from '@tensorflow/tfjs-core'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralPatchEmbed',
  save: ['pixelValues', 'weight'],
  half: true,
  gradients: ['pixelValues', 'weight', 'bias'],
  // Reshapes and a product, never conv2d: stock WASM has no gradient for a convolution's filter.
  reference({ pixelValues, weight, bias }: { pixelValues: Tensor; weight: Tensor; bias: Tensor }) {
    const [batch, channels, height, width] = pixelValues.shape as Tensor4D['shape']
    const [hiddenSize, , patchHeight, patchWidth] = weight.shape as Tensor4D['shape']
    const rows = height / patchHeight
    const columns = width / patchWidth
    const tokens = rows * columns
    const pixels = patchHeight * patchWidth
    const strips = reshape(pixelValues, [batch * channels * rows, patchHeight, columns, patchWidth])
    const tiles = reshape(transpose(strips, [0, 2, 1, 3]), [batch, channels, tokens, pixels])
    const patches = reshape(transpose(tiles, [0, 2, 1, 3]), [batch * tokens, channels * pixels])
    const projected = matMul(patches, reshape(weight, [hiddenSize, channels * pixels]), false, true) // [B·N, C]
    return reshape(add(projected, bias), [batch, tokens, hiddenSize])
  },
})

/**
 * Patch embedding, the convolution of torch.nn.Conv2d with stride = kernel size = patch size (Dosovitskiy et al. 2020).
 *
 * FLOPs 2·B·N·C·(c·P·P'), bytes: pixels, tokens and weight once each.
 *
 * @param pixelValues [B, c, h, w], NCHW
 * @param weight [C, c, P, P']
 * @param bias [C]
 * @returns [B, ⌊h / P⌋·⌊w / P'⌋, C], patches in row-major order; pixels beyond the last whole patch are left out
 * @throws when the channels differ, or when the image is smaller than a patch.
 */
export function patchEmbed(pixelValues: Tensor4D, weight: Tensor4D, bias: Tensor1D): Tensor3D {
  checkShape('patchEmbed', 'weight', weight, ['hiddenSize', 'channels', 'patchHeight', 'patchWidth'])
  const [hiddenSize, channels, patchHeight, patchWidth] = weight.shape
  checkShape('patchEmbed', 'pixelValues', pixelValues, ['batch', channels, 'height', 'width'])
  checkShape('patchEmbed', 'bias', bias, [hiddenSize])
  const [, , height, width] = pixelValues.shape
  if (height < patchHeight || width < patchWidth)
    throw new Error(
      `patchEmbed: an image of ${height}×${width} pixels has no whole patch of ${patchHeight}×${patchWidth}; resize it to a patch or more.`,
    )
  return op({ pixelValues: wholePatches(pixelValues, patchHeight, patchWidth), weight, bias }, {})
}

/** The images without what a stride leaves over at the right and at the bottom. */
function wholePatches(pixelValues: Tensor4D, patchHeight: number, patchWidth: number): Tensor4D {
  const [batch, channels, height, width] = pixelValues.shape
  const [restHeight, restWidth] = [height % patchHeight, width % patchWidth]
  if (restHeight === 0 && restWidth === 0) return pixelValues
  return slice(pixelValues, [0, 0, 0, 0], [batch, channels, height - restHeight, width - restWidth])
}
