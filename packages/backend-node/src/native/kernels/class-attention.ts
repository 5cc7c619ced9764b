import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, type Forward, Gradients, kernel } from '../kernel.ts'
import { type biasNames, type QkvBiases, type QkvWeights, weightNames } from './qkv.ts'

interface Attributes {
  numHeads: number
  scale: number
}

type Heads = [batch: number, tokens: number, numHeads: number, headSize: number]

function headsOf({ shape }: TensorInfo, { numHeads }: Attributes): Heads {
  const [batch, tokens, hiddenSize] = shape as [number, number, number]
  return [batch, tokens, numHeads, hiddenSize / numHeads]
}

export const classAttention: KernelConfig = kernel<{ x: TensorInfo } & QkvWeights & QkvBiases, Attributes & Forward>(
  'VitralClassAttention',
  (backend, { x, queryBias, valueBias, ...weights }, attrs) => {
    const heads = headsOf(x, attrs)
    const [batch, , numHeads, headSize] = heads
    const output = backend.allocate([batch, 1, numHeads * headSize])
    const between = backend.allocate([backend.addon.classAttentionFloats(...heads)])
    backend.addon.classAttention(
      ...heads,
      backend.floats(x),
      ...weightNames.map(name => backend.floats(weights[name])),
      queryBias ? backend.floats(queryBias) : null,
      valueBias ? backend.floats(valueBias) : null,
      attrs.scale,
      output.values,
      between.values,
    )
    if (attrs.training) return [output.info, between.info]
    backend.disposeData(between.info.dataId)
    return output.info
  },
)

export const classAttentionGrad: KernelConfig = kernel<
  Record<'dy' | 'x' | 'between', TensorInfo> & QkvWeights,
  Attributes & Backward
>('VitralClassAttentionGrad', (backend, { dy, x, between, ...weights }, attrs) => {
  const hiddenSize = x.shape.at(-1) as number
  const gradients = new Gradients(backend, attrs)
  gradients.floats('keyBias', [hiddenSize])?.fill(0) // all scores share it, and softmax takes it away
  const ofBias = (name: (typeof biasNames)[number]) => gradients.floats(name, [hiddenSize])
  backend.addon.classAttentionGrad(
    ...headsOf(x, attrs),
    backend.floats(dy),
    backend.floats(x),
    ...weightNames.map(name => backend.floats(weights[name])),
    backend.floats(between),
    attrs.scale,
    gradients.floats('x', x.shape),
    ...weightNames.map(name => gradients.floats(name, [hiddenSize, hiddenSize])),
    ofBias('queryBias'),
    ofBias('valueBias'),
  )
  return gradients.all()
})
