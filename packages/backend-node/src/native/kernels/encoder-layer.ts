import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { EncoderLayerShape, LayerOptions } from '../addon.ts'
import type { NativeBackend } from '../backend.ts'
import { type Autocast, type Backward, Gradients, kernel } from '../kernel.ts'
import { type LayerParameter, layerParameters, NONE } from './layer-tensors.ts'

interface Attributes extends Autocast {
  numHeads: number
  scale: number
  eps: number
  dropoutProbability: number
  seed: number
  /** Probability and seed of dropout, and of drop path. */
  afterAttention: [number, number, number, number]
  afterMlp: [number, number, number, number]
}

type Inputs = { x: TensorInfo } & { [name in LayerParameter]?: TensorInfo }

function shapeOf({ x, upWeight }: Inputs, { numHeads }: Attributes): EncoderLayerShape {
  const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
  return [batch, tokens, hiddenSize, numHeads, upWeight?.shape[0] as number]
}

const optionsOf = (attrs: Attributes, batch: number): LayerOptions => [
  attrs.scale,
  attrs.eps,
  attrs.dropoutProbability,
  attrs.seed,
  ...attrs.afterAttention,
  batch,
  ...attrs.afterMlp,
  batch,
]

const arraysOf = (backend: NativeBackend, inputs: Inputs): Float32Array[] =>
  layerParameters.map(name => (inputs[name] ? backend.floats(inputs[name]) : NONE))

/** All ops of a layer in one call; what is packed of its weights goes, as they train. */
export const encoderLayer: KernelConfig = kernel<Inputs, Attributes>('VitralEncoderLayer', (backend, inputs, attrs) => {
  const { addon } = backend
  const shape = shapeOf(inputs, attrs)
  const weights = layerParameters.filter(name => name.endsWith('Weight')).map(name => inputs[name] as TensorInfo)
  backend.dropPacked(weights)
  const [keptFloats, betweenFloats] = addon.encoderLayerFloats(...shape, attrs.dtype)
  const output = backend.allocate(inputs.x.shape)
  const kept = backend.allocate([keptFloats])
  const between = backend.allocate([betweenFloats])
  addon.encoderLayer(
    ...shape,
    ...optionsOf(attrs, shape[0]),
    attrs.dtype,
    backend.floats(inputs.x),
    arraysOf(backend, inputs),
    kept.values,
    between.values,
    output.values,
  )
  backend.disposeData(between.info.dataId)
  return [output.info, kept.info]
})

export const encoderLayerGrad: KernelConfig = kernel<Inputs & Record<'dy' | 'kept', TensorInfo>, Attributes & Backward>(
  'VitralEncoderLayerGrad',
  (backend, { dy, kept, ...inputs }, attrs) => {
    const { addon } = backend
    const shape = shapeOf(inputs, attrs)
    const [, , hiddenSize, , intermediateSize] = shape
    const gradients = new Gradients(backend, attrs)
    const gradientOf = (name: LayerParameter) => {
      const size = [name === 'upBias' ? intermediateSize : hiddenSize]
      return gradients.floats(name, name.endsWith('Weight') ? (inputs[name] as TensorInfo).shape : size) ?? NONE
    }
    const [, , betweenFloats] = addon.encoderLayerFloats(...shape, attrs.dtype)
    const between = backend.allocate([betweenFloats])
    addon.encoderLayerGrad(
      ...shape,
      ...optionsOf(attrs, shape[0]),
      attrs.dtype,
      backend.floats(dy),
      backend.floats(inputs.x),
      arraysOf(backend, inputs),
      backend.floats(kept),
      between.values,
      gradients.floats('x', inputs.x.shape),
      layerParameters.map(gradientOf),
    )
    backend.disposeData(between.info.dataId)
    return gradients.all()
  },
)
