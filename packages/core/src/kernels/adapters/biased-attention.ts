/** Attention with a bias by the kernels of products and of softmax: the N×N scores are made whole, as the bias is. */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { keepMask } from '../../tape/random.ts'
import type { Backward } from '../arguments.ts'
import type { KernelBackend } from '../backend.ts'
import { type BackendKernel, Gradients, kernel } from '../kernel.ts'

interface Attributes {
  numHeads: number
  scale: number
  dropoutProbability: number
  seed: number
}

type Biased = Record<'qkv' | 'bias', TensorInfo>

interface Sizes {
  B: number
  N: number
  H: number
  D: number
}

function sizesOf({ shape }: TensorInfo, { numHeads: H }: Attributes): Sizes {
  const [B, N, packed] = shape as [number, number, number]
  return { B, N, H, D: packed / 3 / H }
}

/** Calls copy(packed, split) for each run of D numbers: of [B, N, parts·H·D], from a part on, and of [B, H, N, D]. */
function eachRun(
  { B, N, H, D }: Sizes,
  parts: number,
  part: number,
  copy: (packed: number, split: number) => void,
): void {
  for (let b = 0; b < B; b++)
    for (let n = 0; n < N; n++)
      for (let h = 0; h < H; h++) copy(((b * N + n) * parts + part) * H * D + h * D, ((b * H + h) * N + n) * D)
}

/** Memory that ends with the kernel. */
class Workspace {
  readonly #backend: KernelBackend
  readonly #made: object[] = []

  constructor(backend: KernelBackend) {
    this.#backend = backend
  }

  floats(size: number): Float32Array {
    const { info, values } = this.#backend.allocate([size])
    this.#made.push(info.dataId)
    return values
  }

  /** [B, N, parts·H·D], a part → [B, H, N, D] */
  split(packed: Float32Array, sizes: Sizes, parts = 1, part = 0): Float32Array {
    const split = this.floats(sizes.B * sizes.N * sizes.H * sizes.D)
    eachRun(sizes, parts, part, (from, to) => split.set(packed.subarray(from, from + sizes.D), to))
    return split
  }

  /** [rows, columns] of each head: a·b over `inner`, or of their transposes. */
  product(
    { B, H }: Sizes,
    [rows, columns, inner]: readonly [number, number, number],
    a: Float32Array,
    b: Float32Array,
    { transposeA = false, transposeB = false } = {},
  ): Float32Array {
    const output = this.floats(B * H * rows * columns)
    this.#backend.kernels.matMul({ batch: B * H, rows, columns, inner, a, transposeA, b, transposeB, output })
    return output
  }

  /** softmax(scale·Q·Kᵀ + bias), [B, H, N, N] */
  probabilities(sizes: Sizes, query: Float32Array, key: Float32Array, bias: Float32Array, scale: number): Float32Array {
    const { B, N, H, D } = sizes
    const scores = this.product(sizes, [N, N, D], query, key, { transposeB: true })
    for (let i = 0; i < scores.length; i++)
      scores[i] = (scores[i] as number) * scale + (bias[i % bias.length] as number)
    const output = this.floats(scores.length)
    this.#backend.kernels.softmax({ rows: B * H * N, columns: N, x: scores, output })
    return output
  }

  free(): void {
    for (const dataId of this.#made) this.#backend.disposeData(dataId, true)
  }
}

const times = (a: Float32Array, b: Float32Array): void => {
  for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) * (b[i] as number)
}

export const biasedAttention: BackendKernel = kernel<Biased, Attributes>(
  'VitralBiasedAttention',
  (backend, { qkv, bias }, attrs) => {
    const sizes = sizesOf(qkv, attrs)
    const { B, N, H, D } = sizes
    const { info, values } = backend.allocate([B, N, H * D])
    const workspace = new Workspace(backend)
    const packed = backend.floats(qkv)
    const [query, key, value] = [0, 1, 2].map(part => workspace.split(packed, sizes, 3, part)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const kept = workspace.probabilities(sizes, query, key, backend.floats(bias), attrs.scale)
    if (attrs.dropoutProbability > 0) times(kept, keepMask(attrs.seed, attrs.dropoutProbability, kept.length))
    const attended = workspace.product(sizes, [N, D, N], kept, value)
    eachRun(sizes, 1, 0, (to, from) => values.set(attended.subarray(from, from + D), to))
    workspace.free()
    return info
  },
)

export const biasedAttentionGrad: BackendKernel = kernel<Biased & { dy: TensorInfo }, Attributes & Backward>(
  'VitralBiasedAttentionGrad',
  (backend, { dy, qkv, bias }, attrs) => {
    const sizes = sizesOf(qkv, attrs)
    const { N, D } = sizes
    const gradients = new Gradients(backend, attrs)
    const [dQkv, dBias] = [gradients.floats('qkv', qkv.shape), gradients.floats('bias', bias.shape)]
    const workspace = new Workspace(backend)
    const packed = backend.floats(qkv)
    const [query, key, value] = [0, 1, 2].map(part => workspace.split(packed, sizes, 3, part)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const up = workspace.split(backend.floats(dy), sizes)
    const probabilities = workspace.probabilities(sizes, query, key, backend.floats(bias), attrs.scale)
    const dScores = workspace.product(sizes, [N, N, D], up, value, { transposeB: true })
    const kept = workspace.floats(probabilities.length)
    kept.set(probabilities)
    if (attrs.dropoutProbability > 0) {
      const mask = keepMask(attrs.seed, attrs.dropoutProbability, kept.length)
      times(kept, mask)
      times(dScores, mask)
    }
    throughSoftmax(dScores, probabilities, N)
    if (dBias) {
      dBias.fill(0)
      for (let i = 0; i < dScores.length; i++) {
        const at = i % dBias.length
        dBias[at] = (dBias[at] as number) + (dScores[i] as number)
      }
    }
    if (dQkv) {
      const parts = [
        workspace.product(sizes, [N, D, N], dScores, key),
        workspace.product(sizes, [N, D, N], dScores, query, { transposeA: true }),
        workspace.product(sizes, [N, D, N], kept, up, { transposeA: true }),
      ]
      for (const [part, split] of parts.entries()) {
        const factor = part < 2 ? attrs.scale : 1
        eachRun(sizes, 3, part, (to, from) => {
          for (let d = 0; d < D; d++) dQkv[to + d] = (split[from + d] as number) * factor
        })
      }
    }
    workspace.free()
    return gradients.all()
  },
)

/** From the gradient of probabilities to that of scores, in place. */
function throughSoftmax(gradient: Float32Array, probabilities: Float32Array, columns: number): void {
  for (let row = 0; row < gradient.length; row += columns) {
    let mean = 0
    for (let i = row; i < row + columns; i++) mean += (gradient[i] as number) * (probabilities[i] as number)
    for (let i = row; i < row + columns; i++)
      gradient[i] = (probabilities[i] as number) * ((gradient[i] as number) - mean)
  }
}
