import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Autocast, Backward } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import type { Drops, EncoderLayerShape } from '../calls.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'
import { ABSENT, type LayerParameter, layerParameters } from './layer-parameters.ts'

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
  return { batch, tokens, hiddenSize, numHeads, intermediateSize: upWeight?.shape[0] as number }
}

const dropsOf = (
  [dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed]: Attributes['afterMlp'],
  samples: number,
): Drops => ({ dropoutProbability, dropoutSeed, dropPathProbability, dropPathSeed, samples })

/** What both passes take. */
function callOf(backend: KernelBackend, inputs: Inputs, attrs: Attributes) {
  const shape = shapeOf(inputs, attrs)
  return {
    ...shape,
    scale: attrs.scale,
    eps: attrs.eps,
    dtype: attrs.dtype,
    attentionDropout: attrs.dropoutProbability,
    attentionSeed: attrs.seed,
    afterAttention: dropsOf(attrs.afterAttention, shape.batch),
    afterMlp: dropsOf(attrs.afterMlp, shape.batch),
    x: backend.floats(inputs.x),
    parameters: layerParameters.map(name => (inputs[name] ? backend.floats(inputs[name]) : ABSENT)),
  }
}

/** All ops of a layer in one call. Packed weights are dropped, since they train. */
export const encoderLayer: BackendKernel = kernel<Inputs, Attributes>(
  'VitralEncoderLayer',
  (backend, inputs, attrs) => {
    const { kernels } = backend
    const weights = layerParameters.filter(name => name.endsWith('Weight')).map(name => inputs[name] as TensorInfo)
    backend.dropPacked(weights)
    const call = callOf(backend, inputs, attrs)
    const [savedFloats, workspaceFloats] = kernels.encoderLayerFloats(call)
    const output = backend.allocate(inputs.x.shape)
    const saved = backend.allocate([savedFloats])
    const workspace = backend.allocate([workspaceFloats])
    kernels.encoderLayer({ ...call, saved: saved.values, workspace: workspace.values, output: output.values })
    backend.disposeData(workspace.info.dataId)
    return [output.info, saved.info]
  },
)

export const encoderLayerGrad: BackendKernel = kernel<
  Inputs & Record<'dy' | 'saved', TensorInfo>,
  Attributes & Backward
>('VitralEncoderLayerGrad', (backend, { dy, saved, ...inputs }, attrs) => {
  const { kernels } = backend
  const call = callOf(backend, inputs, attrs)
  const { hiddenSize, intermediateSize } = call
  const gradients = new Gradients(backend, attrs)
  const gradientOf = (name: LayerParameter) => {
    const size = [name === 'upBias' ? intermediateSize : hiddenSize]
    return gradients.floats(name, name.endsWith('Weight') ? (inputs[name] as TensorInfo).shape : size) ?? ABSENT
  }
  const [, , workspaceFloats] = kernels.encoderLayerFloats(call)
  const workspace = backend.allocate([workspaceFloats])
  kernels.encoderLayerGrad({
    ...call,
    dy: backend.floats(dy),
    saved: backend.floats(saved),
    workspace: workspace.values,
    dx: gradients.floats('x', inputs.x.shape),
    gradients: layerParameters.map(gradientOf),
  })
  backend.disposeData(workspace.info.dataId)
  return gradients.all()
})
