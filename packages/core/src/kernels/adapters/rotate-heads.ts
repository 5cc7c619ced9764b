/** One pass over queries and keys, of memory's speed; the gradient turns back. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Backward } from '../arguments.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

type Angles = Record<'cosines' | 'sines', Float32Array>

interface Attributes {
  numHeads: number
  prefix: number
}

/** @param direction 1, or −1 to turn back */
function rotate(
  x: Float32Array,
  [batch, tokens, packedSize]: readonly [number, number, number],
  { numHeads, prefix, cosines, sines }: Attributes & Angles,
  direction: 1 | -1,
  output: Float32Array,
): void {
  const half = packedSize / 6 / numHeads
  output.set(x)
  for (let b = 0; b < batch; b++)
    for (let n = prefix; n < tokens; n++) {
      const angles = (n - prefix) * half
      const begin = (b * tokens + n) * packedSize
      for (let head = 0; head < 2 * numHeads; head++) {
        const at = begin + 2 * half * head
        for (let i = 0; i < half; i++) {
          const cosine = cosines[angles + i] as number
          const sine = direction * (sines[angles + i] as number)
          const first = x[at + i] as number
          const second = x[at + half + i] as number
          output[at + i] = first * cosine - second * sine
          output[at + half + i] = second * cosine + first * sine
        }
      }
    }
}

export const rotateHeads: BackendKernel = kernel<Record<'qkv' | keyof Angles, TensorInfo>, Attributes>(
  'VitralRotateHeads',
  (backend, { qkv, cosines, sines }, { numHeads, prefix }) => {
    const { info, values } = backend.allocate(qkv.shape)
    const angles = { cosines: backend.floats(cosines), sines: backend.floats(sines) }
    rotate(backend.floats(qkv), qkv.shape as [number, number, number], { numHeads, prefix, ...angles }, 1, values)
    return info
  },
)

export const rotateHeadsGrad: BackendKernel = kernel<Record<'dy' | keyof Angles, TensorInfo>, Attributes & Backward>(
  'VitralRotateHeadsGrad',
  (backend, { dy, cosines, sines }, attrs) => {
    const gradients = new Gradients(backend, attrs)
    const dx = gradients.floats('qkv', dy.shape)
    const { numHeads, prefix } = attrs
    const angles = { cosines: backend.floats(cosines), sines: backend.floats(sines) }
    if (dx) rotate(backend.floats(dy), dy.shape as [number, number, number], { numHeads, prefix, ...angles }, -1, dx)
    return gradients.all()
  },
)
