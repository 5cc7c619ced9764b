import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward, Forward } from '../arguments.ts'
import type { Heads } from '../calls.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'
import { type QkvBiases, type QkvWeights, weightArrays, weightGradients } from './qkv.ts'

interface Attributes {
  numHeads: number
  scale: number
}

function headsOf({ shape }: TensorInfo, { numHeads }: Attributes): Heads {
  const [batch, tokens, hiddenSize] = shape as [number, number, number]
  return { batch, tokens, numHeads, headSize: hiddenSize / numHeads }
}

export const classAttention: BackendKernel = kernel<{ x: TensorInfo } & QkvWeights & QkvBiases, Attributes & Forward>(
  'VitralClassAttention',
  (backend, { x, queryBias, valueBias, ...weights }, attrs) => {
    const heads = headsOf(x, attrs)
    const { batch, numHeads, headSize } = heads
    const output = backend.allocate([batch, 1, numHeads * headSize])
    const saved = backend.allocate([backend.kernels.classAttentionFloats(heads)])
    backend.kernels.classAttention({
      ...heads,
      x: backend.floats(x),
      ...weightArrays(backend, weights),
      queryBias: queryBias ? backend.floats(queryBias) : null,
      valueBias: valueBias ? backend.floats(valueBias) : null,
      scale: attrs.scale,
      output: output.values,
      saved: saved.values,
    })
    if (attrs.training) return [output.info, saved.info]
    backend.disposeData(saved.info.dataId)
    return output.info
  },
)

export const classAttentionGrad: BackendKernel = kernel<
  Record<'dy' | 'x' | 'saved', TensorInfo> & QkvWeights,
  Attributes & Backward
>('VitralClassAttentionGrad', (backend, { dy, x, saved, ...weights }, attrs) => {
  const hiddenSize = x.shape.at(-1) as number
  const gradients = new Gradients(backend, attrs)
  gradients.floats('keyBias', [hiddenSize])?.fill(0) // all scores share it, and softmax takes it away
  backend.kernels.classAttentionGrad({
    ...headsOf(x, attrs),
    dy: backend.floats(dy),
    x: backend.floats(x),
    ...weightArrays(backend, weights),
    saved: backend.floats(saved),
    scale: attrs.scale,
    dx: gradients.floats('x', x.shape),
    ...weightGradients(gradients, hiddenSize),
    dQueryBias: gradients.floats('queryBias', [hiddenSize]),
    dValueBias: gradients.floats('valueBias', [hiddenSize]),
  })
  return gradients.all()
})
