/** All encoder layers where nothing trains, made of the kernels of their ops: the first product of each MLP writes its GELU. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { WebgpuBackend } from '../backend.ts'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { attention } from './attention.ts'
import { classAttention } from './class-attention.ts'
import { noDrops } from './drops.ts'
import type { LayerTensors } from './encoder-layer.ts'
import type { Precision } from './half.ts'
import { layerNorm } from './layer-norm.ts'
import { linear } from './linear.ts'
import { qkv } from './qkv.ts'
import { selectToken } from './select-token.ts'

interface Attributes extends Precision {
  layers: number
  numHeads: number
  classTokenOnly: boolean
  scale: number
  eps: number
}

export const encoder: WebgpuKernel<Record<string, TensorInfo>, Attributes> = kernel(
  'VitralEncoder',
  (backend, inputs, { layers, classTokenOnly, ...attrs }) => {
    const x = inputs.x as TensorInfo
    let hidden = x
    for (let i = 0; i < layers; i++) {
      const output = layer(backend, hidden, layerTensors(inputs, i), {
        ...attrs,
        classTokenOnly: classTokenOnly && i === layers - 1,
      })
      if (hidden !== x) backend.free(hidden)
      hidden = output
    }
    return hidden === x ? backend.share(x) : hidden
  },
)

type One = [TensorInfo]

/** x + attention(norm(x)), then that + mlp(norm(that)): [B, N, C] → [B, N, C], or the class token alone, [B, 1, C]. */
function layer(
  backend: WebgpuBackend,
  x: TensorInfo,
  tensors: LayerTensors,
  { classTokenOnly, eps, ...attrs }: Omit<Attributes, 'layers'>,
): TensorInfo {
  const formats = { dtype: attrs.dtype, outputDtype: 'compute', training: false } as const
  const [normBefore] = layerNorm.run(
    backend,
    { x, weight: tensors.normBeforeWeight, bias: tensors.normBeforeBias },
    { ...formats, eps, ...(classTokenOnly && { outputDtype: 'float32' }) },
  ) as One
  const attended = attend(backend, normBefore, tensors, { ...attrs, classTokenOnly })
  backend.free(normBefore)
  const residual = classTokenOnly ? classToken(backend, x) : x
  const [middle] = linear.run(
    backend,
    { x: attended, weight: tensors.projectionWeight, bias: tensors.projectionBias, residual },
    { ...formats, ...noDrops, outputDtype: 'float32', inputActivation: 'none' },
  ) as One
  backend.free(attended)
  if (classTokenOnly) backend.free(residual)
  const [normAfter] = layerNorm.run(
    backend,
    { x: middle, weight: tensors.normAfterWeight, bias: tensors.normAfterBias },
    { ...formats, eps },
  ) as One
  const [active] = linear.run(
    backend,
    { x: normAfter, weight: tensors.upWeight, bias: tensors.upBias },
    { ...formats, ...noDrops, inputActivation: 'none', gelu: 'instead' },
  ) as One
  backend.free(normAfter)
  const [output] = linear.run(
    backend,
    { x: active, weight: tensors.downWeight, bias: tensors.downBias, residual: middle },
    { ...formats, ...noDrops, outputDtype: 'float32', inputActivation: 'none' },
  ) as One
  backend.free(active, middle)
  return output
}

function attend(
  backend: WebgpuBackend,
  x: TensorInfo,
  tensors: LayerTensors,
  { classTokenOnly, ...attrs }: Omit<Attributes, 'layers' | 'eps'>,
): TensorInfo {
  const formats = { outputDtype: 'compute', training: false } as const
  if (classTokenOnly) return classAttention.run(backend, { x, ...tensors }, { ...attrs, ...formats })[0] as TensorInfo
  const [packed] = qkv.run(backend, { x, ...tensors }, { ...attrs, ...formats }) as One
  const noDropout = { dropoutProbability: 0, seed: 0 }
  const [attended] = attention.run(backend, { qkv: packed }, { ...attrs, ...formats, ...noDropout }) as One
  backend.free(packed)
  return attended
}

/** [B, N, C] → [B, 1, C] */
function classToken(backend: WebgpuBackend, x: TensorInfo): TensorInfo {
  const [batch, tokens, hiddenSize] = x.shape as [number, number, number]
  const [selected] = selectToken.run(backend, { x }, { index: 0, tokens }) as One
  return { ...selected, shape: [batch, 1, hiddenSize] }
}

/** The inputs that belong to a layer, by their names in it. */
function layerTensors(inputs: Record<string, TensorInfo>, layer: number): LayerTensors {
  const prefix = `${layer}.`
  const own = Object.entries(inputs).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])) as LayerTensors
}
