/** Attention rollout: one map of the patches that the pooled features drew on, from the attention of every layer. */
import {
  add,
  div,
  matMul,
  max,
  mean,
  reshape,
  slice,
  type Tensor3D,
  type Tensor4D,
  tensor3d,
  tidy,
  tile,
} from '@tensorflow/tfjs-core'
import { numPrefixTokens } from './architecture.ts'
import type { ViTConfig } from './config.ts'

/** Options of attentionRollout. */
export interface RolloutOptions {
  /** Whether the map is of the class token, the first, or of the mean of the patches. @default 'class' */
  pooling?: 'class' | 'mean'
  /** Tokens before the patches: class token, distillation token and registers. @default 1 */
  prefix?: number
}

/** The options for a model of this configuration. */
export const rolloutOptions = (config: ViTConfig): Required<RolloutOptions> => ({
  pooling: config.pooling === 'class' ? 'class' : 'mean',
  prefix: numPrefixTokens(config),
})

/**
 * The share of each patch that reaches the class token through all layers (Abnar & Zuidema 2020, "Quantifying Attention Flow in
 * Transformers"): heads averaged, the identity added for the residual connection, rows normalised, layers multiplied.
 * Only the class token's row of the product is made: 2·B·L·N² FLOPs and no N×N matrix but the heads' mean.
 *
 * @param attentions probabilities of each layer, first layer first, [B, H, P + N, P + N], where P tokens come before the
 *   patches: `attentions` of a model's output
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
  { pooling = 'class', prefix = 1 }: RolloutOptions = {},
): Tensor3D {
  const last = attentions.at(-1)
  if (!last) throw new Error('attentionRollout was given no layer; pass { outputAttentions: true } to forward.')
  const [batch, , tokens] = last.shape
  const [rows, columns] = grid
  const count = rows * columns
  if (count !== tokens - prefix || (pooling === 'class' && prefix < 1))
    throw new Error(
      `attentionRollout was given a grid of ${rows}×${columns} patches; the attentions are of ${tokens - prefix} patches and ${prefix === 1 ? 'a class token' : `${prefix} other tokens`}.`,
    )
  return tidy(() => {
    const start = Array.from({ length: tokens }, (_, i) =>
      pooling === 'class' ? Number(i === 0) : i < prefix ? 0 : 1 / count,
    )
    let row = tile(tensor3d(start, [1, 1, tokens]), [batch, 1, 1]) // [B, 1, P + N]
    for (const attention of attentions.toReversed()) row = div(add(matMul(row, mean(attention, 1) as Tensor3D), row), 2) // rows of (A + I) sum to 2
    const patches = slice(row, [0, 0, prefix], [batch, 1, count])
    return reshape(div(patches, max(patches, 2, true)), [batch, rows, columns]) as Tensor3D
  })
}
