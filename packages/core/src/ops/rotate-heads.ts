/** Rotary positions: pairs of a head's columns, turned by angles that depend on the token's place. */
import { add, concat, mul, reshape, slice, type Tensor, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../check.ts'
import { defineOp } from '../tape/op.ts'
import { checkShape } from './arguments.ts'

const op = defineOp({
  kernel: 'VitralRotateHeads',
  save: ['cosines', 'sines'], // a rotation's gradient is the rotation back
  gradients: ['qkv'],
  reference(
    { qkv, cosines, sines }: { qkv: Tensor; cosines: Tensor; sines: Tensor },
    { numHeads, prefix }: { numHeads: number; prefix: number },
  ) {
    const [batch, tokens, packedSize] = qkv.shape as Tensor3D['shape']
    const headSize = packedSize / 3 / numHeads
    const patches = tokens - prefix
    const rotated = 2 * (packedSize / 3) // columns of queries and keys
    const part = slice(qkv, [0, prefix, 0], [batch, patches, rotated])
    const heads = reshape(part, [batch, patches, 2 * numHeads, headSize])
    const half = headSize / 2
    const first = slice(heads, [0, 0, 0, 0], [batch, patches, 2 * numHeads, half])
    const second = slice(heads, [0, 0, 0, half], [batch, patches, 2 * numHeads, half])
    const [c, s] = [cosines, sines].map(x => reshape(x, [1, patches, 1, half])) as [Tensor, Tensor]
    const turned = concat([add(mul(first, c), mul(second, mul(s, -1))), add(mul(second, c), mul(first, s))], -1)
    const values = slice(qkv, [0, prefix, rotated], [batch, patches, packedSize - rotated])
    const done = concat([reshape(turned, [batch, patches, rotated]), values], -1)
    return prefix === 0 ? done : concat([slice(qkv, [0, 0, 0], [batch, prefix, packedSize]), done], 1)
  },
})

/**
 * Turns queries and keys of the patches: in each head columns i and i + D/2 are a point of the plane, turned by the
 * token's angle i (RoFormer, Su et al. 2021, in the order of GPT-NeoX and DINOv3). The tokens before the patches stay.
 *
 * @param qkv [B, P + N, 3·C], as made by `qkv`
 * @param cosines [N, D/2], of the angles of each patch
 * @param sines [N, D/2]
 * @param options heads, and P, the tokens before the patches
 * @returns shape of qkv
 */
export function rotateHeads(
  qkv: Tensor3D,
  cosines: Tensor2D,
  sines: Tensor2D,
  { numHeads, prefix }: { numHeads: number; prefix: number },
): Tensor3D {
  checkShape('rotateHeads', 'qkv', qkv, ['batch', 'tokens', '3·hiddenSize'])
  const [, tokens, packedSize] = qkv.shape
  checkInteger('rotateHeads: prefix', prefix, 0, tokens - 1)
  checkInteger('rotateHeads: numHeads', numHeads, 1)
  checkInteger('rotateHeads: half of a head', packedSize / 6 / numHeads, 1)
  for (const [name, tensor] of Object.entries({ cosines, sines }))
    checkShape('rotateHeads', name, tensor, [tokens - prefix, packedSize / 6 / numHeads])
  return op({ qkv, cosines, sines }, { numHeads, prefix })
}
