/** Copies of rows: nothing that compiled code would do better. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

type Shape3 = [batch: number, tokens: number, hiddenSize: number]

export const insertTokens: BackendKernel = kernel<Record<'x' | 'tokens', TensorInfo>, { at: number }>(
  'VitralInsertTokens',
  (backend, { x, tokens }, { at }) => {
    const [batch, count, hiddenSize] = x.shape as Shape3
    const inserted = tokens.shape[1] as number
    const { info, values } = backend.allocate([batch, count + inserted, hiddenSize])
    const [from, own] = [backend.floats(x), backend.floats(tokens)]
    for (let b = 0; b < batch; b++) {
      const [source, target] = [b * count * hiddenSize, b * (count + inserted) * hiddenSize]
      values.set(from.subarray(source, source + at * hiddenSize), target)
      values.set(own, target + at * hiddenSize)
      values.set(
        from.subarray(source + at * hiddenSize, source + count * hiddenSize),
        target + (at + inserted) * hiddenSize,
      )
    }
    return info
  },
)

export const insertTokensGrad: BackendKernel = kernel<{ dy: TensorInfo }, { at: number; inserted: number } & Backward>(
  'VitralInsertTokensGrad',
  (backend, { dy }, attrs) => {
    const { at, inserted } = attrs
    const [batch, all, hiddenSize] = dy.shape as Shape3
    const count = all - inserted
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('x', [batch, count, hiddenSize])
    const dTokens = gradients.floats('tokens', [1, inserted, hiddenSize])
    const up = backend.floats(dy)
    dTokens?.fill(0)
    for (let b = 0; b < batch; b++) {
      const [source, target] = [b * all * hiddenSize, b * count * hiddenSize]
      const [begin, end] = [source + at * hiddenSize, source + (at + inserted) * hiddenSize]
      dx?.set(up.subarray(source, begin), target)
      dx?.set(up.subarray(end, source + all * hiddenSize), target + at * hiddenSize)
      if (dTokens)
        for (let i = begin; i < end; i++) dTokens[i - begin] = (dTokens[i - begin] as number) + (up[i] as number)
    }
    return gradients.all()
  },
)
