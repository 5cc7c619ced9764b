/** Self-attention of the class token alone, in float32. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type Backward, type Forward, sizeOf } from '@vitral/core/kernels/arguments'
import { Gradients, kernel, type WebgpuKernel } from '../kernel.ts'
import {
  backward,
  biasGradients,
  elementWorkgroups,
  forward,
  inputGradient,
  savedSize,
  sizesOf,
  weightGradients,
} from './class-attention/programs.ts'

interface Attributes {
  numHeads: number
  scale: number
}

type Weights = Record<'queryWeight' | 'keyWeight' | 'valueWeight', TensorInfo>
type Biases = Partial<Record<'queryBias' | 'keyBias' | 'valueBias', TensorInfo>>

export const classAttention: WebgpuKernel<{ x: TensorInfo } & Weights & Biases, Attributes & Forward> = kernel(
  'VitralClassAttention',
  (backend, { x, queryWeight, keyWeight, valueWeight, queryBias, valueBias }, attrs) => {
    const sizes = sizesOf(x, attrs)
    const { batch, heads, headSize } = sizes
    const output = backend.output([batch, 1, heads * headSize])
    const saved = attrs.training ? backend.output([savedSize(sizes)]) : undefined
    backend.dispatch(
      forward,
      {
        x: backend.range(x),
        queryWeight: backend.range(queryWeight),
        keyWeight: backend.range(keyWeight),
        valueWeight: backend.range(valueWeight),
        queryBias: queryBias && backend.range(queryBias),
        valueBias: valueBias && backend.range(valueBias),
        output: output.range,
        saved: saved?.range ?? backend.scratch(4 * savedSize(sizes)),
      },
      { ...sizes, hasQueryBias: Number(queryBias !== undefined), hasValueBias: Number(valueBias !== undefined) },
      batch * heads,
    )
    return saved ? [output.info, saved.info] : output.info
  },
)

export const classAttentionGrad: WebgpuKernel = kernel<
  Record<'dy' | 'x' | 'saved', TensorInfo> & Weights,
  Attributes & Backward
>('VitralClassAttentionGrad', (backend, { dy, x, saved, queryWeight, keyWeight, valueWeight }, attrs) => {
  const sizes = sizesOf(x, attrs)
  const { batch, heads, headSize } = sizes
  const hiddenSize = heads * headSize
  const gradients = new Gradients(backend, attrs)
  const up = backend.scratch(4 * savedSize(sizes))
  const inputs = { dy: backend.range(dy), x: backend.range(x), saved: backend.range(saved), up }
  const weights = { keyWeight: backend.range(keyWeight), valueWeight: backend.range(valueWeight) }
  backend.dispatch(backward, { ...inputs, ...weights }, sizes, batch * heads)

  const dx = gradients.range('x', x.shape)
  if (dx) {
    const ranges = { queryWeight: backend.range(queryWeight), saved: inputs.saved, up, dx }
    backend.dispatch(inputGradient, ranges, sizes, elementWorkgroups(sizeOf(x)))
  }
  const dWeights = {
    dQueryWeight: gradients.range('queryWeight', queryWeight.shape),
    dKeyWeight: gradients.range('keyWeight', keyWeight.shape),
    dValueWeight: gradients.range('valueWeight', valueWeight.shape),
  }
  const wanted = {
    wantsQuery: Number(dWeights.dQueryWeight !== undefined),
    wantsKey: Number(dWeights.dKeyWeight !== undefined),
    wantsValue: Number(dWeights.dValueWeight !== undefined),
  }
  if (Object.values(wanted).some(Boolean))
    backend.dispatch(
      weightGradients,
      { ...inputs, ...dWeights },
      { ...sizes, ...wanted },
      elementWorkgroups(hiddenSize * hiddenSize),
    )
  const dBiases = {
    dQueryBias: gradients.range('queryBias', [hiddenSize]),
    dKeyBias: gradients.range('keyBias', [hiddenSize]),
    dValueBias: gradients.range('valueBias', [hiddenSize]),
  }
  const wantedBiases = {
    wantsQuery: Number(dBiases.dQueryBias !== undefined),
    wantsKey: Number(dBiases.dKeyBias !== undefined),
    wantsValue: Number(dBiases.dValueBias !== undefined),
  }
  if (Object.values(wantedBiases).some(Boolean))
    backend.dispatch(
      biasGradients,
      { dy: inputs.dy, up, ...dBiases },
      { ...sizes, ...wantedBiases },
      elementWorkgroups(hiddenSize),
    )
  return gradients.all()
})
