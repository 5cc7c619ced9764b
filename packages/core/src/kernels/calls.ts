/**
 * What compiled kernels can do, as types: those of the native addon, and of the WebAssembly module. Each op takes one
 * object; outputs are memory that the caller allocated.
 */

export type Floats = Float32Array
/** float32, or bfloat16 as the upper half of its bits. */
export type FloatsOrBf16 = Float32Array | Uint16Array
/** null asks for no such output, or stands for an input that is absent. */
type Optional<T> = T | null

/** What the factors of products are rounded to. */
export type ComputeDtype = 'float32' | 'bfloat16' | 'int8'

/** Dropout and drop path of a matrix whose rows are divided evenly among `samples`. */
export interface Drops {
  dropoutProbability: number
  dropoutSeed: number
  dropPathProbability: number
  dropPathSeed: number
  samples: number
}

export interface PatchShape {
  batch: number
  channels: number
  height: number
  width: number
  patchHeight: number
  patchWidth: number
  hiddenSize: number
}

interface Patches {
  batch: number
  patches: number
  hiddenSize: number
}

interface Tokens {
  batch: number
  tokens: number
  hiddenSize: number
  index: number
}

/** The grid of position embeddings, and the one they are wanted for. */
interface Grids {
  rows: number
  columns: number
  newRows: number
  newColumns: number
  hiddenSize: number
}

interface Norm {
  rows: number
  hiddenSize: number
  x: Floats
  weight: Floats
}

interface Linear {
  rows: number
  inputs: number
  outputs: number
  dtype: ComputeDtype
  /** Whether the layer reads GELU(x). */
  gelu: boolean
  x: FloatsOrBf16
  weight: Floats
}

export interface QkvWeightArrays {
  queryWeight: Floats
  keyWeight: Floats
  valueWeight: Floats
}

interface Qkv extends QkvWeightArrays {
  rows: number
  hiddenSize: number
  dtype: ComputeDtype
  x: FloatsOrBf16
}

type QkvBiasName = 'queryBias' | 'keyBias' | 'valueBias'
type QkvGradients = Record<`d${Capitalize<keyof QkvWeightArrays | QkvBiasName>}`, Optional<Floats>>

export interface Heads {
  batch: number
  tokens: number
  numHeads: number
  headSize: number
}

interface Attention extends Heads {
  dtype: ComputeDtype
  qkv: FloatsOrBf16
  scale: number
  dropoutProbability: number
  seed: number
  output: FloatsOrBf16
}

interface ClassAttention extends Heads, QkvWeightArrays {
  x: Floats
  scale: number
  /** As long as `classAttentionFloats` says; the forward pass writes what the gradient reads. */
  saved: Floats
}

export interface EncoderLayerShape {
  batch: number
  tokens: number
  hiddenSize: number
  numHeads: number
  intermediateSize: number
}

interface Encoder extends EncoderLayerShape {
  /** Factor of the attention scores. */
  scale: number
  /** Epsilon of all norms. */
  eps: number
  dtype: ComputeDtype
  x: Floats
  /** The sixteen of each layer in the order of `layerParameters`; an empty array stands for none. */
  parameters: Floats[]
  workspace: Floats
}

interface EncoderLayer extends Encoder {
  attentionDropout: number
  attentionSeed: number
  afterAttention: Drops
  afterMlp: Drops
  /** The activations that the gradient reads. */
  saved: Floats
}

/** Class indices or probabilities: one of the two is null. */
export interface Labels {
  labels: Optional<Int32Array>
  probabilities: Optional<Floats>
}

interface CrossEntropy extends Labels {
  batch: number
  classes: number
  logits: Floats
  labelSmoothing: number
}

interface OptimizerStep {
  lr: number
  weightDecay: number
  gradientScale: number
  gradientLimit: number
  gradients: Floats[]
  parameters: Floats[]
}

interface Elementwise {
  size: number
  a: Floats
  b: Floats
  output: Floats
}

/** A piece of memory that kernels can reach. */
export interface MemoryChunk {
  buffer: ArrayBufferLike
  /** Where it begins in the buffer. */
  byteOffset: number
  byteLength: number
  /** Whether an array that was cut from some chunk was cut from this one. */
  holds(array: Float32Array): boolean
}

/** Where the memory of tensors comes from. */
export interface KernelMemory {
  /** Fewest bytes that are asked for at once. */
  chunkBytes: number
  /** Below so many floats a plain array will do; 1 where kernels reach nothing but this memory. */
  smallest: number
  /**
   * Memory of at least so many bytes, aligned for the kernels; its contents are undefined.
   *
   * @throws when there is no more
   */
  allocate(bytes: number): MemoryChunk
  /** Gives such memory back; its contents are lost. */
  discard(chunk: MemoryChunk): void
}

export interface Kernels {
  patchEmbed(
    call: PatchShape & { dtype: ComputeDtype; pixelValues: Floats; weight: Floats; bias: Floats; output: Floats },
  ): void
  patchEmbedGrad(
    call: PatchShape & { dtype: ComputeDtype; dy: Floats; pixelValues: Floats; weight: Floats } & Record<
        'dPixelValues' | 'dWeight' | 'dBias',
        Optional<Floats>
      >,
  ): void
  embedTokens(call: Patches & Record<'patchEmbeddings' | 'clsToken' | 'positionEmbeddings' | 'output', Floats>): void
  embedTokensGrad(
    call: Patches & { dy: Floats } & Record<'dPatchEmbeddings' | 'dClsToken' | 'dPositionEmbeddings', Optional<Floats>>,
  ): void
  maskTokens(call: Patches & Record<'patchEmbeddings' | 'maskToken' | 'mask' | 'output', Floats>): void
  maskTokensGrad(
    call: Patches & { dy: Floats; mask: Floats } & Record<'dPatchEmbeddings' | 'dMaskToken', Optional<Floats>>,
  ): void
  selectToken(call: Tokens & { x: Floats; output: Floats }): void
  selectTokenGrad(call: Tokens & { dy: Floats; dx: Floats }): void
  interpolatePositions(call: Grids & { positionEmbeddings: Floats; output: Floats }): void
  interpolatePositionsGrad(call: Grids & { dy: Floats; dx: Floats }): void

  layerNorm(
    call: Norm & {
      bias: Floats
      eps: number
      output: FloatsOrBf16
      mean: Optional<Floats>
      rstd: Optional<Floats>
    },
  ): void
  layerNormGrad(
    call: Norm & { dy: Floats; mean: Floats; rstd: Floats } & Record<'dx' | 'dWeight' | 'dBias', Optional<Floats>>,
  ): void
  packedLinearFloats(inputs: number, outputs: number, dtype: ComputeDtype): number
  packLinear(call: { inputs: number; outputs: number; dtype: ComputeDtype; weight: Floats; packed: Floats }): void
  linear(
    call: Linear & {
      packed: Optional<Floats>
      bias: Optional<Floats>
      residual: Optional<Floats>
      drops: Drops
      output: FloatsOrBf16
    },
  ): void
  linearGrad(call: Linear & { dy: Floats } & Record<'dx' | 'dWeight' | 'dBias', Optional<Floats>>): void
  packQkv(call: QkvWeightArrays & { hiddenSize: number; dtype: ComputeDtype; packed: Floats }): void
  qkv(call: Qkv & Record<QkvBiasName | 'packed', Optional<Floats>> & { output: FloatsOrBf16 }): void
  qkvGrad(call: Qkv & QkvGradients & { dy: Floats; dx: Optional<Floats> }): void
  attention(call: Attention & { logSumExp: Optional<Floats> }): void
  attentionGrad(call: Attention & Record<'dy' | 'logSumExp' | 'dQkv', Floats>): void
  /** How many numbers the forward pass saves for the gradient. */
  classAttentionFloats(heads: Heads): number
  classAttention(call: ClassAttention & Record<'queryBias' | 'valueBias', Optional<Floats>> & { output: Floats }): void
  /** The key's bias has a gradient of zero. */
  classAttentionGrad(call: ClassAttention & Omit<QkvGradients, 'dKeyBias'> & { dy: Floats; dx: Optional<Floats> }): void
  /** How large the workspace of `encoder` is. */
  encoderFloats(shape: EncoderLayerShape): number
  encoder(
    call: Encoder & {
      classTokenOnly: boolean
      /** Four of each layer: the packed weights of query, key and value as one, projection, and the MLP's two. */
      packed: Floats[]
      output: Floats
    },
  ): void
  /** How large are the saved activations, the forward and the backward workspace. */
  encoderLayerFloats(shape: EncoderLayerShape & { dtype: ComputeDtype }): [number, number, number]
  encoderLayer(call: EncoderLayer & { output: Floats }): void
  /** `gradients` are in the order of the parameters; an empty array stands for one that is not wanted. */
  encoderLayerGrad(call: EncoderLayer & { dy: Floats; dx: Optional<Floats>; gradients: Floats[] }): void

  gelu(call: { size: number; x: Floats; output: Floats }): void
  geluGrad(call: { size: number; dy: Floats; x: Floats; dx: Floats }): void
  dropRows(call: { rows: number; columns: number; x: Floats; drops: Drops; output: Floats }): void
  crossEntropy(call: CrossEntropy): number
  crossEntropyGrad(call: CrossEntropy & { dy: number; dLogits: Floats }): void
  gradNorm(call: { gradients: Floats[] }): number
  /** @returns whether all gradients were finite */
  unscale(call: { gradients: Floats[]; scale: number; outputs: Floats[] }): boolean
  adamStep(
    call: OptimizerStep & {
      step: number
      beta1: number
      beta2: number
      eps: number
      decoupled: boolean
      first: Floats[]
      second: Floats[]
    },
  ): void
  /** Without momentum there are no velocities. */
  sgdStep(call: OptimizerStep & { step: number; momentum: number; nesterov: boolean; velocities: Floats[] }): void
  lionStep(call: OptimizerStep & { beta1: number; beta2: number; averages: Floats[] }): void

  add(call: Elementwise): void
  subtract(call: Elementwise): void
  multiply(call: Elementwise): void
  softmax(call: { rows: number; columns: number; x: Floats; output: Floats }): void
  /** `batch` products of [rows, inner] with [inner, columns], or of their transposes. */
  matMul(call: {
    batch: number
    rows: number
    columns: number
    inner: number
    a: Floats
    transposeA: boolean
    b: Floats
    transposeB: boolean
    output: Floats
  }): void
}
