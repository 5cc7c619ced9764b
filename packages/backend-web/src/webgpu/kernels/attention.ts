/** Multi-head attention. B samples, N tokens, H heads of D. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { OutputDtypeAttribute } from '@vitral/core/kernels'
import { type Backward, type Forward, sizeOf } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import { keepConstants } from '../wgsl.ts'
import { keyProgram, queryProgram } from './attention/backward.ts'
import { forwardProgram } from './attention/forward.ts'
import { type attentionConstants, blocksOf, lanesOf } from './attention/text.ts'
import { inHalf, type Precision, writesHalf } from './half.ts'
import { matrix, paddedOutput, paddedTo4 } from './product/matrix.ts'
import { hasSubgroupsOfEight } from './product/product.ts'

interface Attributes {
  numHeads: number
  scale: number
  dropoutProbability: number
  seed: number
}

/** The sizes as constants, for heads whose rows are filled up to `headSize` elements. */
function constantsOf(
  { shape }: TensorInfo,
  { numHeads: heads, scale, dropoutProbability, seed }: Attributes,
): Omit<Record<keyof typeof attentionConstants, number>, 'training'> {
  const [batch, tokens, packedSize] = shape as [number, number, number]
  const headSize = paddedTo4(packedSize / 3 / heads)
  return { tokens, heads, headsInAll: batch * heads, headSize, scale, seed, ...keepConstants(dropoutProbability) }
}

const workgroupsOf = ({ headsInAll, tokens }: ReturnType<typeof constantsOf>, lanes: number): number =>
  headsInAll * Math.ceil(tokens / lanes)

const shapeOf = ({ emulated, device }: WebgpuBackend) => ({
  emulated,
  subgroup: emulated && hasSubgroupsOfEight(device),
})

/** A tensor as rows of one head each. */
const headRows = (tensor: TensorInfo, { shape }: TensorInfo, { numHeads }: Attributes) => {
  const columns = (shape[2] as number) / 3 / numHeads
  return { rows: sizeOf(tensor) / columns, columns }
}

export const attention: WebgpuKernel<{ qkv: TensorInfo }, Attributes & OutputDtypeAttribute & Forward & Precision> =
  kernel('VitralAttention', (backend, { qkv }, attrs) => {
    const [batch, tokens, packedSize] = qkv.shape as [number, number, number]
    const { numHeads, training } = attrs
    const packed = matrix(backend, backend.stored(qkv), { ...headRows(qkv, qkv, attrs), half: inHalf(attrs) })
    const halfOutput = writesHalf(attrs, packedSize / 3 / numHeads)
    const output = backend.output([batch, tokens, packedSize / 3], { half: halfOutput })
    const logSumExp = training ? backend.output([batch, numHeads, tokens]) : undefined
    const { range, finish } = paddedOutput(backend, output.range, headRows(output.info, qkv, attrs))
    const constants = constantsOf(qkv, attrs)
    const kind = {
      blocks: blocksOf(constants.headSize, backend.emulated),
      half: packed.half,
      halfOutput,
      ...shapeOf(backend),
    }
    backend.dispatch(
      forwardProgram(kind),
      { qkv: packed.ranges[0], output: range, logSumExp: logSumExp?.range },
      { ...constants, training: Number(training) },
      workgroupsOf(constants, lanesOf(kind)),
    )
    finish()
    return logSumExp ? [output.info, logSumExp.info] : output.info
  })

export const attentionGrad: WebgpuKernel<
  Record<'dy' | 'qkv' | 'output' | 'logSumExp', TensorInfo>,
  Attributes & Backward & Precision
> = kernel('VitralAttentionGrad', (backend, { dy, qkv, output, logSumExp }, attrs) => {
  const gradients = new Gradients(backend, attrs)
  const dQkv = gradients.range('qkv', qkv.shape)
  if (!dQkv) return gradients.all()
  const rowsOfHeads = (tensor: TensorInfo, half: boolean) =>
    matrix(backend, backend.stored(tensor), { ...headRows(tensor, qkv, attrs), half })
  const [packed, result] = [rowsOfHeads(qkv, inHalf(attrs)), rowsOfHeads(output, false)]
  const constants = { ...constantsOf(qkv, attrs), training: 1 }
  const kind = {
    blocks: blocksOf(constants.headSize, backend.emulated),
    half: packed.half,
    halfOutput: result.half,
    ...shapeOf(backend),
  }
  const workgroups = workgroupsOf(constants, lanesOf(kind))
  const { range, finish } = paddedOutput(backend, dQkv, headRows(qkv, qkv, attrs))
  const ranges = {
    dy: matrix(backend, { range: backend.range(dy), half: false }, headRows(dy, qkv, attrs)).ranges[0],
    qkv: packed.ranges[0],
    logSumExp: backend.range(logSumExp),
    shifts: backend.scratch(4 * sizeOf(logSumExp)),
    dQkv: range,
  }
  backend.dispatch(queryProgram(kind), { ...ranges, output: result.ranges[0] }, constants, workgroups)
  for (const of of backend.emulated ? (['both'] as const) : (['keys', 'values'] as const))
    backend.dispatch(keyProgram(kind, of), ranges, constants, workgroups)
  finish()
  return gradients.all()
})
