/**
 * A whole pre-norm encoder layer that trains, made of the kernels of its ops: fewer dispatches, since a product writes its GELU
 * beside its result, a norm's gradient adds that of the residual, and the norms are saved for the products' gradients.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { LayerParameter } from '@vitral/core/kernels'
import type { Backward } from '@vitral/core/kernels/arguments'
import type { WebgpuBackend } from '../backend.ts'
import { kernel, type WebgpuKernel } from '../kernel.ts'
import { attention, attentionGrad } from './attention.ts'
import { type DropAttributes, noDrops } from './drops.ts'
import type { Precision } from './half.ts'
import { layerNorm, layerNormGrad } from './layer-norm.ts'
import { linear, linearGrad } from './linear.ts'
import { qkv, qkvGrad } from './qkv.ts'

type DropNumbers = [dropoutProbability: number, dropoutSeed: number, dropPathProbability: number, dropPathSeed: number]

interface Attributes extends Precision {
  numHeads: number
  scale: number
  eps: number
  dropoutProbability: number
  seed: number
  afterAttention: DropNumbers
  afterMlp: DropNumbers
}

type Bias = 'queryBias' | 'keyBias' | 'valueBias'

/** The parameters of a layer. */
export type LayerTensors = Record<Exclude<LayerParameter, Bias>, TensorInfo> & Partial<Record<Bias, TensorInfo>>

type Inputs = { x: TensorInfo } & LayerTensors

const dropsOf = ([
  dropoutProbability,
  dropoutSeed,
  dropPathProbability,
  dropPathSeed,
]: DropNumbers): DropAttributes => ({
  dropoutProbability,
  dropoutSeed,
  dropPathProbability,
  dropPathSeed,
})

/** What a layer keeps for its gradient: the results of its ops, and the statistics of its norms. */
type Saved =
  | 'normBefore'
  | 'meanBefore'
  | 'rstdBefore'
  | 'packed'
  | 'attended'
  | 'logSumExp'
  | 'middle'
  | 'normAfter'
  | 'meanAfter'
  | 'rstdAfter'
  | 'hidden'

type Three = [TensorInfo, TensorInfo, TensorInfo]

export const encoderLayer: WebgpuKernel<Inputs, Attributes> = kernel(
  'VitralEncoderLayer',
  (backend, { x, ...tensors }, attrs) => {
    const { dtype, eps } = attrs
    const formats = { dtype, outputDtype: 'compute', training: true } as const
    const norm = (input: TensorInfo, weight: TensorInfo, bias: TensorInfo) =>
      layerNorm.run(backend, { x: input, weight, bias }, { ...formats, eps }) as Three
    const [normBefore, meanBefore, rstdBefore] = norm(x, tensors.normBeforeWeight, tensors.normBeforeBias)
    const [packed] = qkv.run(backend, { x: normBefore, ...tensors }, formats) as [TensorInfo]
    const [attended, logSumExp] = attention.run(backend, { qkv: packed }, { ...attrs, ...formats }) as [
      TensorInfo,
      TensorInfo,
    ]
    const [middle] = linear.run(
      backend,
      { x: attended, weight: tensors.projectionWeight, bias: tensors.projectionBias, residual: x },
      { ...formats, ...dropsOf(attrs.afterAttention), outputDtype: 'float32', inputActivation: 'none' },
    ) as [TensorInfo]
    const [normAfter, meanAfter, rstdAfter] = norm(middle, tensors.normAfterWeight, tensors.normAfterBias)
    const [hidden, active] = linear.run(
      backend,
      { x: normAfter, weight: tensors.upWeight, bias: tensors.upBias },
      { ...formats, ...noDrops, inputActivation: 'none', gelu: 'beside' },
    ) as [TensorInfo, TensorInfo]
    const [output] = linear.run(
      backend,
      { x: active, weight: tensors.downWeight, bias: tensors.downBias, residual: middle },
      { ...formats, ...dropsOf(attrs.afterMlp), outputDtype: 'float32', inputActivation: 'none' },
    ) as [TensorInfo]
    backend.free(active)
    const norms = { normBefore, meanBefore, rstdBefore, normAfter, meanAfter, rstdAfter }
    const saved: Record<Saved, TensorInfo> = { ...norms, packed, attended, logSumExp, middle, hidden }
    return [output, backend.bundle(saved)]
  },
)

/** The inputs in the order in which their gradients are computed: each stage needs what the ones before pass on. */
const stages: readonly (readonly string[])[] = [
  ['downWeight', 'downBias'],
  ['upWeight', 'upBias'],
  ['normAfterWeight', 'normAfterBias'],
  ['projectionWeight', 'projectionBias'],
  ['queryWeight', 'keyWeight', 'valueWeight', 'queryBias', 'keyBias', 'valueBias'],
  ['normBeforeWeight', 'normBeforeBias'],
  ['x'],
]

export const encoderLayerGrad: WebgpuKernel<Inputs & Record<'dy' | 'saved', TensorInfo>, Attributes & Backward> =
  kernel('VitralEncoderLayerGrad', (backend, { dy, saved, ...inputs }, attrs) => {
    const gradients = new LayerGradients(attrs)
    layerGradients(backend, dy, inputs, backend.partsOf(saved), attrs, gradients)
    return gradients.all()
  })

/** The gradients that are wanted of a layer. */
class LayerGradients {
  readonly #wanted: readonly string[]
  readonly #made = new Map<string, TensorInfo>()

  constructor({ wanted }: Backward) {
    this.#wanted = wanted
  }

  /**
   * Runs the gradient kernel of a stage for what is wanted of it.
   *
   * @param names the layer's names of the kernel's inputs
   * @returns the gradient of the kernel's x, where later stages need it
   */
  stage(
    number: number,
    names: Record<string, string>,
    run: (wanted: string[]) => TensorInfo[],
  ): TensorInfo | undefined {
    const goesOn = stages
      .slice(number + 1)
      .flat()
      .some(name => this.#wanted.includes(name))
    const own = Object.keys(names).filter(name => this.#wanted.includes(names[name] as string))
    const asked = goesOn ? ['x', ...own] : own
    if (asked.length === 0) return undefined
    const results = run(asked)
    const [dx, ...others] = goesOn ? results : [undefined, ...results]
    for (const [i, name] of own.entries()) this.#made.set(names[name] as string, others[i] as TensorInfo)
    return dx
  }

  /** A gradient that is another tensor. */
  set(name: string, info: TensorInfo): void {
    this.#made.set(name, info)
  }

  all(): TensorInfo[] {
    return this.#wanted.map(name => this.#made.get(name) as TensorInfo)
  }
}

/** Goes back through the layer as far as a gradient is wanted. */
function layerGradients(
  backend: WebgpuBackend,
  dy: TensorInfo,
  { x, ...tensors }: Inputs,
  saved: Record<Saved, TensorInfo>,
  attrs: Attributes,
  gradients: LayerGradients,
): void {
  const { hidden, normAfter, middle, attended, packed: packedQkv, logSumExp, normBefore } = saved
  const dHidden = gradients.stage(0, { weight: 'downWeight', bias: 'downBias' }, wanted =>
    linearGrad.run(
      backend,
      { dy, x: hidden, weight: tensors.downWeight },
      { ...dropsOf(attrs.afterMlp), dtype: attrs.dtype, inputActivation: 'gelu', wanted },
    ),
  )
  if (!dHidden) return
  const dNormAfter = gradients.stage(1, { weight: 'upWeight', bias: 'upBias' }, wanted =>
    linearGrad.run(
      backend,
      { dy: dHidden, x: normAfter, weight: tensors.upWeight },
      { ...noDrops, dtype: attrs.dtype, inputActivation: 'none', wanted },
    ),
  )
  backend.free(dHidden)
  if (!dNormAfter) return
  const dMiddle = gradients.stage(2, { weight: 'normAfterWeight', bias: 'normAfterBias' }, wanted => {
    const statistics = { mean: saved.meanAfter, rstd: saved.rstdAfter }
    const inputs = { dy: dNormAfter, x: middle, weight: tensors.normAfterWeight, ...statistics, residualGradient: dy }
    return layerNormGrad.run(backend, inputs, { wanted })
  })
  backend.free(dNormAfter)
  if (!dMiddle) return
  const dAttended = gradients.stage(3, { weight: 'projectionWeight', bias: 'projectionBias' }, wanted =>
    linearGrad.run(
      backend,
      { dy: dMiddle, x: attended, weight: tensors.projectionWeight },
      { ...dropsOf(attrs.afterAttention), dtype: attrs.dtype, inputActivation: 'none', wanted },
    ),
  )
  if (dAttended) {
    const [dPacked] = attentionGrad.run(
      backend,
      { dy: dAttended, qkv: packedQkv, output: attended, logSumExp },
      { ...attrs, wanted: ['qkv'] },
    ) as [TensorInfo]
    backend.free(dAttended)
    const dNormBefore = gradients.stage(4, qkvNames, wanted =>
      qkvGrad.run(backend, { dy: dPacked, x: normBefore, ...tensors }, { dtype: attrs.dtype, wanted }),
    )
    backend.free(dPacked)
    if (dNormBefore) {
      const dx = gradients.stage(5, { weight: 'normBeforeWeight', bias: 'normBeforeBias' }, wanted => {
        const statistics = { mean: saved.meanBefore, rstd: saved.rstdBefore }
        const inputs = {
          dy: dNormBefore,
          x,
          weight: tensors.normBeforeWeight,
          ...statistics,
          residualGradient: dMiddle,
        }
        return layerNormGrad.run(backend, inputs, { wanted })
      })
      backend.free(dNormBefore)
      if (dx) gradients.set('x', dx)
    }
  }
  backend.free(dMiddle)
}

const qkvNames = Object.fromEntries((stages[4] as string[]).map(name => [name, name]))
