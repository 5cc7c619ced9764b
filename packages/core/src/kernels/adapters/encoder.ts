import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Autocast } from '../arguments.ts'
import { type BackendKernel, kernel } from '../kernel.ts'
import { ABSENT, type LayerParameter, layerParameters } from './layer-parameters.ts'
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
export const encoder: BackendKernel = kernel<Record<string, TensorInfo>, Attributes>(
  'VitralEncoder',
  (backend, inputs, { layers, numHeads, classTokenOnly, scale, eps, dtype }) => {
    const x = inputs.x as TensorInfo
    const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
    const parameters: Float32Array[] = []
    const packed: Float32Array[] = []
    for (let layer = 0; layer < layers; layer++) {
      const names = inputNamesOf(layer)
      const weight = (name: LayerParameter) => inputs[names[name]] as TensorInfo
      for (const name of layerParameters) parameters.push(inputs[names[name]] ? backend.floats(weight(name)) : ABSENT)
      const qkv = {
        queryWeight: weight('queryWeight'),
        keyWeight: weight('keyWeight'),
        valueWeight: weight('valueWeight'),
      }
      // The class token's attention reads the weights themselves.
      packed.push(classTokenOnly && layer === layers - 1 ? ABSENT : packedQkv(backend, qkv, dtype))
      for (const name of ['projectionWeight', 'upWeight', 'downWeight'] as const)
        packed.push(packedLinear(backend, weight(name), dtype))
    }
    const intermediateSize = inputs[inputNamesOf(0).upWeight]?.shape[0] as number
    const shape = { batch, tokens, hiddenSize, numHeads, intermediateSize }
    const workspace = backend.allocate([backend.kernels.encoderFloats(shape)])
    const output = backend.allocate([batch, classTokenOnly ? 1 : tokens, hiddenSize])
    backend.kernels.encoder({
      ...shape,
      scale,
      eps,
      classTokenOnly,
      dtype,
      x: backend.floats(x),
      parameters,
      packed,
      workspace: workspace.values,
      output: output.values,
    })
    backend.disposeData(workspace.info.dataId)
    return output.info
  },
)
