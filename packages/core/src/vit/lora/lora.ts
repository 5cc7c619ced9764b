/**
 * Low-rank adapters (LoRA, Hu et al. 2021): beside a frozen weight W two small ones that train, A and B, so that the
 * layer computes with W + (alpha / rank)·B·A. Names, shapes, defaults and initial values are those of PEFT's LoraConfig.
 *
 * The sum is formed in each pass and goes to the same kernels as any weight: a merged model gives the same bits as
 * one with adapters, no activation is kept for them, and q, k and v stay one product. The price is the gradient of a
 * whole weight for each one adapted. For ViT-B, rank 8 and a step of M tokens, in FLOPs per weight of 768 × 768: 2·M·768²
 * for that gradient and 28·10⁶ for the sum and the gradients of A and B, against 12·M·768·8 if A and B were two thin
 * layers beside the frozen one. With query and value adapted a large batch takes 2.16 forward passes instead of 2.01;
 * with all six targets 3, as the whole model does, instead of 2.05. The sums stay until the backward pass has used them,
 * 57 MB and 340 MB. PEFT's lora_dropout acts on the input of the thin layers, so there is none here.
 */
import { type Tensor2D, tensor, tidy, type Variable, variable } from '@tensorflow/tfjs-core'
import { isInteger } from '../../check.ts'
import { describeValue } from '../../files/fields.ts'
import type { Weights } from '../../files/weight-files.ts'
import { loraWeight } from '../../ops/index.ts'
import { deriveSeed, randomBits } from '../../tape/random.ts'
import { type Parameters, tensorOf } from '../parameters/parameters.ts'

/** The linear layers of an encoder layer, by their names in it. */
export const loraTargets = [
  'query',
  'key',
  'value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
] as const

/** `output.dense` is the second layer of the MLP alone; in PEFT that name means `attention.output.dense` too. */
export type LoraTarget = (typeof loraTargets)[number]

/** Low-rank adapters. PEFT's LoraConfig. */
export interface LoraConfig {
  /** Rows of A and columns of B. PEFT's `r`. @default 8 */
  rank: number
  /** The adapter's product is scaled by alpha / rank. PEFT's `lora_alpha`. @default 8 */
  alpha: number
  /** Which layers get adapters. PEFT's `target_modules`. @default ['query', 'value'] */
  targets: readonly LoraTarget[]
}

/** One adapted weight. */
export interface Adapter {
  /** [rank, in] */
  loraA: Variable
  /** [out, rank] */
  loraB: Variable
  /** The product is scaled by alpha / rank. */
  alpha: number
}

/** Adapters by the name of the adapted weight. */
export type Adapters = Map<string, Adapter>

/**
 * Fills in PEFT's defaults.
 *
 * @throws naming the field, what it is and what it can be.
 */
export function resolveLora({
  rank = 8,
  alpha = 8,
  targets = ['query', 'value'],
}: Partial<LoraConfig> = {}): LoraConfig {
  const require = (holds: boolean, field: string, value: unknown, expected: string): void => {
    if (!holds) throw new Error(`LoRA: ${field} is ${describeValue(value)}; expected ${expected}.`)
  }
  require(isInteger(rank, 1, MOST_RANK), 'rank', rank, `a whole number of at least 1 and at most ${MOST_RANK}`)
  require(isAlpha(alpha), 'alpha', alpha, 'a number above 0')
  const known = Array.isArray(targets) && targets.length > 0 && targets.every(target => loraTargets.includes(target))
  require(known, 'targets', targets, `some of ${loraTargets.join(', ')}`)
  return { rank, alpha, targets: loraTargets.filter(target => targets.includes(target)) }
}

/** Largest rank: more than any layer is wide. */
export const MOST_RANK: number = 2 ** 16

/** Whether float32 holds the factor. */
export const isAlpha = (alpha: unknown): boolean =>
  typeof alpha === 'number' && alpha > 0 && Number.isFinite(Math.fround(alpha))

/** The target that a weight belongs to, if it is one of an encoder layer's linear layers. */
export function targetOf(weightName: string): LoraTarget | undefined {
  const name = /\blayer\.\d+\.(.+)\.weight$/.exec(weightName)?.[1]?.replace(/^attention\.attention\./, '')
  return loraTargets.find(target => target === name)
}

/** `….lora_A.weight` and `….lora_B.weight` of the layer with this weight, as PEFT names them. */
export const adapterNames = (weightName: string): readonly [loraA: string, loraB: string] => {
  const layer = weightName.slice(0, -'weight'.length)
  return [`${layer}lora_A.weight`, `${layer}lora_B.weight`]
}

/**
 * Adapters for every weight of the targets, as PEFT makes them: A uniform within ±1 / √in (torch's kaiming_uniform_ with
 * a = √5), B zero, so that the model computes at first what it did without them.
 */
export function createAdapters(parameters: Parameters, { rank, alpha, targets }: LoraConfig, seed: number): Adapters {
  const adapters: Adapters = new Map()
  for (const [name, { shape }] of parameters) {
    const target = targetOf(name)
    if (!target || !targets.includes(target)) continue
    const [out, input] = shape as [number, number]
    const loraA = uniform([rank, input], 1 / Math.sqrt(input), deriveSeed(seed, adapters.size))
    const loraB = { shape: [out, rank], data: new Float32Array(out * rank) }
    adapters.set(name, createAdapter(loraA, loraB, alpha))
  }
  return adapters
}

/** The configuration that adapters were made with. */
export function loraConfigOf(adapters: Adapters): LoraConfig {
  const [first] = adapters.values()
  const { loraA, alpha } = first as Adapter
  const used = new Set([...adapters.keys()].map(targetOf))
  return { rank: loraA.shape[0] as number, alpha, targets: loraTargets.filter(target => used.has(target)) }
}

/** W + (alpha / rank)·B·A, [out, in]. */
export function adaptedWeight(weight: Tensor2D, { loraA, loraB, alpha }: Adapter): Tensor2D {
  const A: Tensor2D = tensorOf(loraA)
  return loraWeight(weight, A, tensorOf(loraB), alpha / A.shape[0])
}

/** An adapter of these values. */
export function createAdapter(loraA: Weights, loraB: Weights, alpha: number): Adapter {
  const owned = ({ data, shape }: Weights): Variable => tidy(() => variable(tensor(data, shape)))
  return { loraA: owned(loraA), loraB: owned(loraB), alpha }
}

function uniform(shape: [number, number], bound: number, seed: number): Weights {
  const value = (i: number): number => bound * ((2 * randomBits(seed, i) + 1) / 2 ** 32 - 1)
  return { shape, data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => value(i)) }
}
