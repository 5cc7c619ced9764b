import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, kernel } from '../kernel.ts'
import { packedLinear } from './linear.ts'
import { packedQkv, type QkvBiases, type QkvWeights } from './qkv.ts'

type Parameters =
  | `norm${'Before' | 'After'}${'Weight' | 'Bias'}`
  | `${'projection' | 'up' | 'down'}${'Weight' | 'Bias'}`

interface Attributes extends Autocast {
  numHeads: number
  outputTokens: number
  scale: number
  eps: number
}

/** All ops of an encoder layer in one call: of a small model, calls take as long as kernels. */
export const encoderLayer: KernelConfig = kernel<
  { x: TensorInfo } & Record<Parameters, TensorInfo> & QkvWeights & QkvBiases,
  Attributes
>('VitralEncoderLayer', (backend, inputs, { numHeads, outputTokens, scale, eps, dtype }) => {
  const { x, queryBias, keyBias, valueBias } = inputs
  const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
  const intermediateSize = inputs.upWeight.shape[0] as number
  const floats = (tensor: TensorInfo) => backend.floats(tensor)
  const packed = (weight: TensorInfo) => packedLinear(backend, weight, dtype)
  const weights = [
    floats(inputs.normBeforeWeight),
    floats(inputs.normBeforeBias),
    packedQkv(backend, [inputs.queryWeight, inputs.keyWeight, inputs.valueWeight], dtype),
    queryBias ? floats(queryBias) : null,
    keyBias ? floats(keyBias) : null,
    valueBias ? floats(valueBias) : null,
    packed(inputs.projectionWeight),
    floats(inputs.projectionBias),
    floats(inputs.normAfterWeight),
    floats(inputs.normAfterBias),
    packed(inputs.upWeight),
    floats(inputs.upBias),
    packed(inputs.downWeight),
    floats(inputs.downBias),
  ]
  const between = backend.allocate([backend.addon.encoderLayerFloats(batch, tokens, hiddenSize, intermediateSize)])
  const output = backend.allocate([batch, outputTokens, hiddenSize])
  backend.addon.encoderLayer(
    batch,
    tokens,
    outputTokens,
    hiddenSize,
    numHeads,
    intermediateSize,
    scale,
    eps,
    dtype,
    floats(x),
    ...weights,
    between.values,
    output.values,
  )
  backend.disposeData(between.info.dataId)
  return output.info
})
