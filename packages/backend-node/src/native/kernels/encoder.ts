import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import { type Autocast, kernel } from '../kernel.ts'
import { type LayerParameter, layerParameters, NONE } from './layer-tensors.ts'
import { packedLinear } from './linear.ts'
import { packedQkv } from './qkv.ts'

interface Attributes extends Autocast {
  layers: number
  numHeads: number
  classTokenOnly: boolean
  scale: number
  eps: number
}

type InputNames = Record<LayerParameter, string>

/** `0.upWeight` and so on, made once: of a small model they take their time. */
const inputNames: InputNames[] = []
function inputNamesOf(layer: number): InputNames {
  inputNames[layer] ??= Object.fromEntries(layerParameters.map(name => [name, `${layer}.${name}`])) as InputNames
  return inputNames[layer]
}

/** All ops of all layers in one call: of a small model, calls take as long as kernels. */
export const encoder: KernelConfig = kernel<Record<string, TensorInfo>, Attributes>(
  'VitralEncoder',
  (backend, inputs, { layers, numHeads, classTokenOnly, scale, eps, dtype }) => {
    const x = inputs.x as TensorInfo
    const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
    const tensor = (name: string) => inputs[name] as TensorInfo
    const floats = (name: string) => backend.floats(tensor(name))
    const packed = (name: string) => packedLinear(backend, tensor(name), dtype)
    const bias = (name: string) => (inputs[name] ? floats(name) : NONE)
    const weights: Float32Array[] = []
    for (let layer = 0; layer < layers; layer++) {
      const name = inputNamesOf(layer)
      weights.push(floats(name.normBeforeWeight), floats(name.normBeforeBias))
      if (classTokenOnly && layer === layers - 1)
        weights.push(NONE, floats(name.queryWeight), floats(name.keyWeight), floats(name.valueWeight))
      else {
        const three = [tensor(name.queryWeight), tensor(name.keyWeight), tensor(name.valueWeight)]
        weights.push(packedQkv(backend, three, dtype), NONE, NONE, NONE)
      }
      weights.push(bias(name.queryBias), bias(name.keyBias), bias(name.valueBias))
      weights.push(packed(name.projectionWeight), floats(name.projectionBias))
      weights.push(floats(name.normAfterWeight), floats(name.normAfterBias))
      weights.push(packed(name.upWeight), floats(name.upBias), packed(name.downWeight), floats(name.downBias))
    }
    const intermediateSize = tensor(inputNamesOf(0).upWeight).shape[0] as number
    const shape = [batch, tokens, hiddenSize, numHeads, intermediateSize] as const
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
