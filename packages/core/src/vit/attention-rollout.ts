/** Attention rollout: one map of the patches that the class token drew on, from the attention of every layer. */
import {
  add,
  cast,
  div,
  matMul,
  max,
  mean,
  oneHot,
  reshape,
  slice,
  type Tensor3D,
  type Tensor4D,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core'

/**
 * The share of each patch that reaches the class token through all layers (Abnar & Zuidema 2020, "Quantifying Attention Flow in
 * Transformers"): heads averaged, the identity added for the residual connection, rows normalised, layers multiplied.
 * Only the class token's row of the product is made: 2·B·L·N² FLOPs and no N×N matrix but the heads' mean.
 *
 * @param attentions probabilities of each layer, first layer first, [B, H, 1 + N, 1 + N]: `attentions` of a model's output
 * @param grid rows and columns of patches, N together
 * @returns [B, rows, columns], the largest of each image 1; the caller's to dispose
 * @throws when there is no layer, or the grid is not that of the patches
 * @example
 * const { attentions } = model.forward(pixelValues, { outputAttentions: true })
 * attentionRollout(attentions, [14, 14]) // [B, 14, 14]
 */
export function attentionRollout(
  attentions: readonly Tensor4D[],
  grid: readonly [rows: number, columns: number],
): Tensor3D {
  const last = attentions.at(-1)
  if (!last) throw new Error('attentionRollout was given no layer; pass { outputAttentions: true } to forward.')
  const [batch, , tokens] = last.shape
  const [rows, columns] = grid
  if (rows * columns !== tokens - 1)
    throw new Error(
      `attentionRollout was given a grid of ${rows}×${columns} patches; the attentions are of ${tokens - 1} patches and a class token.`,
    )
  return tidy(() => {
    const classToken = oneHot(zeros([batch, 1], 'int32'), tokens) as Tensor3D // [B, 1, 1 + N]
    let row = cast(classToken, 'float32') as Tensor3D
    for (const attention of attentions.toReversed()) row = div(add(matMul(row, mean(attention, 1) as Tensor3D), row), 2) // rows of (A + I) sum to 2
    const patches = slice(row, [0, 0, 1], [batch, 1, tokens - 1])
    return reshape(div(patches, max(patches, 2, true)), [batch, rows, columns]) as Tensor3D
  })
}
