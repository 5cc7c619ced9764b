import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, kernel } from '../kernel.ts'
import { packedLinear } from './linear.ts'
import { packedQkv } from './qkv.ts'

interface Attributes extends Autocast {
  layers: number
  numHeads: number
  classTokenOnly: boolean
  scale: number
  eps: number
}

/** What the addon takes for an array that is not there. */
export const NONE: Float32Array = new Float32Array(0)

/** All ops of all layers in one call: of a small model, calls take as long as kernels. */
export const encoder: KernelConfig = kernel<Record<string, TensorInfo>, Attributes>(
  'VitralEncoder',
  (backend, inputs, { layers, numHeads, classTokenOnly, scale, eps, dtype }) => {
    const x = inputs.x as TensorInfo
    const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
    const arraysOf = (layer: number, ofClassToken: boolean) => {
      const tensor = (name: string) => inputs[`${layer}.${name}`] as TensorInfo
      const floats = (name: string) => backend.floats(tensor(name))
      const packed = (name: string) => packedLinear(backend, tensor(name), dtype)
      const bias = (name: string) => (`${layer}.${name}` in inputs ? floats(name) : NONE)
      const weights = ['queryWeight', 'keyWeight', 'valueWeight']
      return [
        ...[floats('normBeforeWeight'), floats('normBeforeBias')],
        ofClassToken ? NONE : packedQkv(backend, weights.map(tensor), dtype),
        ...weights.map(weight => (ofClassToken ? floats(weight) : NONE)),
        ...['queryBias', 'keyBias', 'valueBias'].map(bias),
        ...[packed('projectionWeight'), floats('projectionBias')],
        ...[floats('normAfterWeight'), floats('normAfterBias')],
        ...[packed('upWeight'), floats('upBias')],
        ...[packed('downWeight'), floats('downBias')],
      ]
    }
    const intermediateSize = (inputs['0.upWeight'] as TensorInfo).shape[0] as number
    const shape = [batch, tokens, hiddenSize, numHeads, intermediateSize] as const
    const weights = Array.from({ length: layers }, (_, i) => arraysOf(i, classTokenOnly && i === layers - 1)).flat()
    const between = backend.allocate([backend.addon.encoderFloats(...shape)])
    const output = backend.allocate([batch, classTokenOnly ? 1 : tokens, hiddenSize])
    backend.addon.encoder(
      ...shape,
      scale,
      eps,
      classTokenOnly,
      dtype,
      backend.floats(x),
      weights,
      between.values,
      output.values,
    )
    backend.disposeData(between.info.dataId)
    return output.info
  },
)
