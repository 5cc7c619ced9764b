/** The compiled kernels: where the binary is found, and what it exports. */
import { createRequire } from 'node:module'
import { join } from 'node:path'

type Floats = Float32Array
/** float32, or bfloat16. */
type Numbers = Float32Array | Uint16Array
type Optional<T> = T | null

/** What the factors of products are rounded to. */
export type ComputeDtype = 'float32' | 'bfloat16' | 'int8'

/** The compiled kernels, best first. */
export type InstructionSet = 'amx' | 'avx512bf16' | 'avx512' | 'avx2' | 'portable'

/** The addon's functions. Outputs are the last arguments; null asks for none, or stands for an input that is absent. */
export interface Addon {
  /** Memory of at least so many bytes, aligned for the kernels; its contents are undefined. */
  allocate(bytes: number): ArrayBuffer
  /**
   * Gives the pages of such memory back to the system at once; its contents are lost. A runtime frees it only when its
   * event loop turns, and that may be long after it was let go.
   */
  discard(buffer: ArrayBuffer): void
  threads(): number
  setThreads(threads: number): void
  instructionSet(): InstructionSet
  /** Milliseconds that so many operations take when nothing but registers is used, a fused multiply-add being two. */
  multiplyAdd(operations: number, threads: number): number
  patchEmbed(...args: [...PatchShape, dtype: ComputeDtype, Floats, Floats, Floats, Floats]): void
  patchEmbedGrad(
    ...args: [
      ...PatchShape,
      dtype: ComputeDtype,
      Floats,
      Floats,
      Floats,
      Optional<Floats>,
      Optional<Floats>,
      Optional<Floats>,
    ]
  ): void
  embedTokens(batch: number, patches: number, hiddenSize: number, ...tensors: [Floats, Floats, Floats, Floats]): void
  embedTokensGrad(
    batch: number,
    patches: number,
    hiddenSize: number,
    dy: Floats,
    ...gradients: [Optional<Floats>, Optional<Floats>, Optional<Floats>]
  ): void
  maskTokens(batch: number, patches: number, hiddenSize: number, ...tensors: [Floats, Floats, Floats, Floats]): void
  maskTokensGrad(
    batch: number,
    patches: number,
    hiddenSize: number,
    dy: Floats,
    mask: Floats,
    ...gradients: [Optional<Floats>, Optional<Floats>]
  ): void
  selectToken(batch: number, tokens: number, hiddenSize: number, index: number, x: Floats, output: Floats): void
  selectTokenGrad(batch: number, tokens: number, hiddenSize: number, index: number, dy: Floats, dx: Floats): void
  interpolatePositions(...args: [...Grids, hiddenSize: number, positionEmbeddings: Floats, output: Floats]): void
  interpolatePositionsGrad(...args: [...Grids, hiddenSize: number, dy: Floats, dx: Floats]): void
  layerNorm(
    rows: number,
    hiddenSize: number,
    x: Floats,
    weight: Floats,
    bias: Floats,
    eps: number,
    output: Numbers,
    mean: Optional<Floats>,
    rstd: Optional<Floats>,
  ): void
  layerNormGrad(
    rows: number,
    hiddenSize: number,
    dy: Floats,
    x: Floats,
    weight: Floats,
    mean: Floats,
    rstd: Floats,
    ...gradients: [Optional<Floats>, Optional<Floats>, Optional<Floats>]
  ): void
  packedLinearFloats(inputs: number, outputs: number, dtype: ComputeDtype): number
  packLinear(inputs: number, outputs: number, dtype: ComputeDtype, weight: Floats, packed: Floats): void
  linear(
    rows: number,
    inputs: number,
    outputs: number,
    dtype: ComputeDtype,
    gelu: boolean,
    x: Numbers,
    weight: Floats,
    packed: Optional<Floats>,
    bias: Optional<Floats>,
    residual: Optional<Floats>,
    ...rest: [...Drops, output: Numbers]
  ): void
  linearGrad(
    rows: number,
    inputs: number,
    outputs: number,
    dtype: ComputeDtype,
    gelu: boolean,
    dy: Floats,
    x: Numbers,
    weight: Floats,
    ...gradients: [Optional<Floats>, Optional<Floats>, Optional<Floats>]
  ): void
  packQkv(
    hiddenSize: number,
    dtype: ComputeDtype,
    ...tensors: [query: Floats, key: Floats, value: Floats, packed: Floats]
  ): void
  /** x; three weights, the packed weight of all or null, three biases or nulls; the output. */
  qkv(rows: number, hiddenSize: number, dtype: ComputeDtype, ...tensors: Optional<Numbers>[]): void
  /** dy, x, three weights; dx, three dWeights, three dBiases. */
  qkvGrad(rows: number, hiddenSize: number, dtype: ComputeDtype, ...tensors: Optional<Numbers>[]): void
  attention(
    ...args: [...Heads, dtype: ComputeDtype, qkv: Numbers, ...Dropout, output: Numbers, logSumExp: Optional<Floats>]
  ): void
  attentionGrad(
    ...args: [
      ...Heads,
      dtype: ComputeDtype,
      dy: Floats,
      qkv: Numbers,
      output: Numbers,
      logSumExp: Floats,
      ...Dropout,
      dQkv: Floats,
    ]
  ): void
  /** What the forward pass leaves for the backward pass. */
  classAttentionFloats(...heads: Heads): number
  classAttention(
    ...args: [
      ...Heads,
      x: Floats,
      ...weights: Floats[],
      queryBias: Optional<Floats>,
      valueBias: Optional<Floats>,
      scale: number,
      output: Floats,
      between: Floats,
    ]
  ): void
  /** dy, x, three weights, what lies between; the scale; dx, three dWeights, the biases' gradients of query and value. */
  classAttentionGrad(...args: [...Heads, ...rest: (number | Optional<Floats>)[]]): void
  encoderFloats(...shape: EncoderLayerShape): number
  /**
   * `weights` has 17 arrays of each layer: weight and bias of the first norm; the packed weight of query, key and value, their
   * three weights, and their three biases; packed weight and bias of the projection; the second norm's; packed weight and
   * bias of both layers of the feed-forward network. An empty array stands for none: the last layer, if it is of the class
   * token only, reads the three weights, and all others the packed one. `between` is memory between the ops.
   */
  encoder(
    ...args: [
      ...EncoderLayerShape,
      scale: number,
      eps: number,
      classTokenOnly: boolean,
      dtype: ComputeDtype,
      x: Floats,
      weights: Floats[],
      between: Floats,
      output: Floats,
    ]
  ): void
  /** What the forward pass leaves for the backward pass, and what each of them has in between. */
  encoderLayerFloats(...args: [...EncoderLayerShape, dtype: ComputeDtype]): [number, number, number]
  /**
   * `weights`: weight and bias of the first norm; the weights of query, key and value, and their biases; weight and bias of
   * the projection, of the second norm, and of both layers of the feed-forward network. An empty array stands for no bias.
   */
  encoderLayer(
    ...args: [
      ...EncoderLayerShape,
      ...LayerOptions,
      dtype: ComputeDtype,
      x: Floats,
      weights: Floats[],
      kept: Floats,
      between: Floats,
      output: Floats,
    ]
  ): void
  /** `gradients` are in the order of the weights; an empty array stands for one that is not wanted. */
  encoderLayerGrad(
    ...args: [
      ...EncoderLayerShape,
      ...LayerOptions,
      dtype: ComputeDtype,
      dy: Floats,
      x: Floats,
      weights: Floats[],
      kept: Floats,
      between: Floats,
      dx: Optional<Floats>,
      gradients: Floats[],
    ]
  ): void
  gelu(size: number, x: Floats, output: Floats): void
  geluGrad(size: number, dy: Floats, x: Floats, dx: Floats): void
  dropRows(rows: number, columns: number, x: Floats, ...rest: [...Drops, output: Floats]): void
  crossEntropy(batch: number, classes: number, logits: Floats, ...labels: [...Labels, labelSmoothing: number]): number
  crossEntropyGrad(
    batch: number,
    classes: number,
    dy: number,
    logits: Floats,
    ...rest: [...Labels, labelSmoothing: number, dLogits: Floats]
  ): void
  gradNorm(gradients: Floats[]): number
  unscale(gradients: Floats[], scale: number, outputs: Floats[]): boolean
  adamStep(
    step: number,
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    weightDecay: number,
    gradientScale: number,
    gradientLimit: number,
    decoupled: boolean,
    ...tensors: [gradients: Floats[], parameters: Floats[], first: Floats[], second: Floats[]]
  ): void
  sgdStep(
    step: number,
    lr: number,
    momentum: number,
    weightDecay: number,
    gradientScale: number,
    gradientLimit: number,
    nesterov: boolean,
    ...tensors: [gradients: Floats[], parameters: Floats[], velocities: Floats[]]
  ): void
  lionStep(
    lr: number,
    beta1: number,
    beta2: number,
    weightDecay: number,
    gradientScale: number,
    gradientLimit: number,
    ...tensors: [gradients: Floats[], parameters: Floats[], averages: Floats[]]
  ): void
  add(size: number, a: Floats, b: Floats, output: Floats): void
  subtract(size: number, a: Floats, b: Floats, output: Floats): void
  multiply(size: number, a: Floats, b: Floats, output: Floats): void
  softmax(rows: number, columns: number, x: Floats, output: Floats): void
  matMul(
    batch: number,
    rows: number,
    columns: number,
    inner: number,
    a: Floats,
    transposeA: boolean,
    b: Floats,
    transposeB: boolean,
    output: Floats,
  ): void
}

export type PatchShape = [
  batch: number,
  channels: number,
  height: number,
  width: number,
  patchHeight: number,
  patchWidth: number,
  hiddenSize: number,
]
type Grids = [rows: number, columns: number, newRows: number, newColumns: number]
type Heads = [batch: number, tokens: number, numHeads: number, headSize: number]
/** Of an encoder. */
export type EncoderLayerShape = [
  batch: number,
  tokens: number,
  hiddenSize: number,
  numHeads: number,
  intermediateSize: number,
]
/** Of an encoder layer: the factor of the scores and eps; what is dropped of probabilities, and after both branches. */
export type LayerOptions = [
  scale: number,
  eps: number,
  attentionDropout: number,
  attentionSeed: number,
  ...Drops,
  ...Drops,
]
/** Of samples that the rows divide into evenly. */
export type Drops = [
  dropoutProbability: number,
  dropoutSeed: number,
  dropPathProbability: number,
  dropPathSeed: number,
  samples: number,
]
type Dropout = [scale: number, dropoutProbability: number, seed: number]
export type Labels = [classes: Optional<Int32Array>, probabilities: Optional<Floats>]

const platform = `${process.platform}-${process.arch}`

/** Where a binary may be. What was built on this machine comes first: who builds wants it used. */
const places = [
  // The same from src and from dist: both are one folder below the package.
  join(import.meta.dirname, '..', '..', 'build', platform, 'vitral.node'),
  `@vitral/backend-node-${platform}`,
]

let loaded: Addon | undefined

/**
 * Loads the addon, once: the one built here by `vitral-build-native`, or the one in the platform's package.
 *
 * @throws when there is no binary for this platform, or it cannot be loaded, with how to build it
 */
export function loadAddon(): Addon {
  const failures: string[] = []
  for (const place of loaded ? [] : places) {
    try {
      loaded = createRequire(import.meta.url)(place) as Addon
      break
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      failures.push(code === 'MODULE_NOT_FOUND' ? `there is no ${place}` : (message.split('\n')[0] ?? ''))
    }
  }
  if (loaded) return loaded
  throw new Error(
    `There are no native kernels for ${platform} here: ${failures.join('; ')}. With a C++ compiler installed, build them ` +
      'by: npx vitral-build-native',
  )
}
