/** Sums of rows, in the order of the tokens. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  from: number
  tokens: number
}

export const meanTokens: BackendKernel = kernel<{ x: TensorInfo }, Attributes>(
  'VitralMeanTokens',
  (backend, { x }, { from, tokens }) => {
    const [batch, , hiddenSize] = x.shape as [number, number, number]
    const { info, values } = backend.allocate([batch, hiddenSize])
    const source = backend.floats(x)
    const sums = new Float64Array(hiddenSize)
    for (let b = 0; b < batch; b++) {
      sums.fill(0)
      for (let n = from, i = (b * tokens + from) * hiddenSize; n < tokens; n++)
        for (let c = 0; c < hiddenSize; c++) sums[c] = (sums[c] as number) + (source[i++] as number)
      for (let c = 0; c < hiddenSize; c++) values[b * hiddenSize + c] = (sums[c] as number) / (tokens - from)
    }
    return info
  },
)

export const meanTokensGrad: BackendKernel = kernel<{ dy: TensorInfo }, Attributes & Backward>(
  'VitralMeanTokensGrad',
  (backend, { dy }, attrs) => {
    const { from, tokens } = attrs
    const [batch, hiddenSize] = dy.shape as [number, number]
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', [batch, tokens, hiddenSize])
    const share = backend.floats(dy).map(value => value / (tokens - from))
    dx?.fill(0)
    for (let b = 0; b < batch; b++)
      for (let n = from; n < tokens; n++)
        dx?.set(share.subarray(b * hiddenSize, (b + 1) * hiddenSize), (b * tokens + n) * hiddenSize)
    return gradients.all()
  },
)
