/**
 * Residual branches, x + branch(norm(x)). Two of their parts are put off, so that the figure stays and nothing is stored
 * in vain: what reads a norm says in which format, and the branch's last linear layer adds x as it writes its result.
 */
import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { LinearDrops, OutputDtype } from '../ops/index.ts'
import { recomputed } from '../tape/recompute.ts'
import type { ViTNorm } from './norm.ts'

/** A norm's result [B, N, C], computed in the format that its reader names. */
export type Normed = (outputDtype: OutputDtype) => Tensor3D

/** A branch but for its end: dropout, drop path and the sum with x. */
export type Branch = (end: Required<LinearDrops> & { residual: Tensor3D }) => Tensor3D

/** norm(x) as a branch reads it. The backward pass computes it again from x, which is kept anyway. */
export function normed(norm: ViTNorm, x: Tensor3D): Normed {
  return outputDtype => recomputed(input => norm.forward(input, outputDtype), x)
}

/** x + branch, with what training drops of the branch. */
export function residual(x: Tensor3D, branch: Branch, drops: Required<LinearDrops>): Tensor3D {
  return branch({ ...drops, residual: x })
}
