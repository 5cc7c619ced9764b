import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Autocast, Backward, Forward } from '../arguments.ts'
import type { Heads } from '../calls.ts'
import { type BackendKernel, Gradients, kernel, withoutInt8 } from '../kernel.ts'
import { allocateOutput, type OutputDtypeAttribute } from './output-dtype.ts'

interface Attributes {
  numHeads: number
  scale: number
  dropoutProbability: number
  seed: number
}

function headsOf({ shape }: TensorInfo, { numHeads }: Attributes): Heads {
  const [batch, tokens, packedSize] = shape as [number, number, number]
  return { batch, tokens, numHeads, headSize: packedSize / 3 / numHeads }
}

export const attention: BackendKernel = kernel<
  { qkv: TensorInfo },
  Attributes & OutputDtypeAttribute & Forward & Autocast
>('VitralAttention', (backend, { qkv }, attrs) => {
  const { scale, dropoutProbability, seed, training } = attrs
  const heads = headsOf(qkv, attrs)
  const { batch, tokens, numHeads, headSize } = heads
  const output = allocateOutput(backend, [batch, tokens, numHeads * headSize], attrs)
  const logSumExp = training ? backend.allocate([batch, numHeads, tokens]) : undefined
  backend.kernels.attention({
    ...heads,
    dtype: withoutInt8(attrs),
    qkv: backend.numbers(qkv),
    scale,
    dropoutProbability,
    seed,
    output: output.values,
    logSumExp: logSumExp?.values ?? null,
  })
  return logSumExp ? [output.info, logSumExp.info] : output.info
})

export const attentionGrad: BackendKernel = kernel<
  Record<'dy' | 'qkv' | 'output' | 'logSumExp', TensorInfo>,
  Attributes & Backward & Autocast
>('VitralAttentionGrad', (backend, { dy, qkv, output, logSumExp }, attrs) => {
  const { scale, dropoutProbability, seed } = attrs
  const gradients = new Gradients(backend, attrs)
  const dQkv = gradients.floats('qkv', qkv.shape)
  if (dQkv)
    backend.kernels.attentionGrad({
      ...headsOf(qkv, attrs),
      dtype: withoutInt8(attrs),
      dy: backend.floats(dy),
      qkv: backend.numbers(qkv),
      output: backend.numbers(output),
      logSumExp: backend.floats(logSumExp),
      scale,
      dropoutProbability,
      seed,
      dQkv,
    })
  return gradients.all()
})
