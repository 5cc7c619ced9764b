/**
 * What compiled kernels can do, as types: those of the native addon, and of the WebAssembly module. Each op takes one
 * object; outputs are memory that the caller allocated.
 */

/** float32 values, row by row. */
export type Floats = Float32Array
/** float32, or bfloat16 as the upper half of its bits. */
export type FloatsOrBf16 = Float32Array | Uint16Array
/** null asks for no such output, or stands for an input that is absent. */
type Optional<T> = T | null

/** What the factors of products are rounded to. */
export type ComputeDtype = 'float32' | 'bfloat16' | 'int8'

/** Dropout and drop path of a matrix whose rows are divided evenly among `samples`. */
export interface Drops {
  /** Share of the elements that become 0. */
  dropoutProbability: number
  /** Seed for the dropout. */
  dropoutSeed: number
  /** Share of the samples whose branch becomes 0. */
  dropPathProbability: number
  /** Seed for the drop path. */
  dropPathSeed: number
  /** Images of the batch. */
  samples: number
}

/** Shape of a batch of images and their patches. */
export interface PatchShape {
  /** Images B. */
  batch: number
  /** Channels c of an image. */
  channels: number
  /** Pixels. */
  height: number
  /** Pixels. */
  width: number
  /** Pixels. */
  patchHeight: number
  /** Pixels. */
  patchWidth: number
  /** Width C of the hidden states. */
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

/** Weights of query, key and value, each [C, C]. */
export interface QkvWeightArrays {
  /** [C, C] */
  queryWeight: Floats
  /** [C, C] */
  keyWeight: Floats
  /** [C, C] */
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

/** Shape of the heads of an attention. */
export interface Heads {
  /** Images B. */
  batch: number
  /** Tokens N of an image. */
  tokens: number
  /** Heads H. */
  numHeads: number
  /** Width D of a head. */
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

/** Shape of an encoder layer and its input. */
export interface EncoderLayerShape {
  /** Images B. */
  batch: number
  /** Tokens N of an image. */
  tokens: number
  /** Width C of the hidden states. */
  hiddenSize: number
  /** Heads H. */
  numHeads: number
  /** Width of the MLP. */
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
  /** [B], class indices. */
  labels: Optional<Int32Array>
  /** [B, K], probabilities of the classes. */
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
  /** The buffer that the chunk is a part of. */
  buffer: ArrayBufferLike
  /** Where it begins in the buffer. */
  byteOffset: number
  /** Bytes. */
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

/** The compiled kernels, by the stems of the ops; gradients end in Grad. */
export interface Kernels {
  /** pixelValues [B, c, h, w] → output [B, N, C]. */
  patchEmbed(
    call: PatchShape & { dtype: ComputeDtype; pixelValues: Floats; weight: Floats; bias: Floats; output: Floats },
  ): void
  /** Gradients of patchEmbed, of dy [B, N, C]. */
  patchEmbedGrad(
    call: PatchShape & { dtype: ComputeDtype; dy: Floats; pixelValues: Floats; weight: Floats } & Record<
        'dPixelValues' | 'dWeight' | 'dBias',
        Optional<Floats>
      >,
  ): void
  /** Puts the class token before the patches and adds the positions: output [B, N + 1, C]. */
  embedTokens(call: Patches & Record<'patchEmbeddings' | 'clsToken' | 'positionEmbeddings' | 'output', Floats>): void
  /** Gradients of embedTokens, of dy [B, N + 1, C]. */
  embedTokensGrad(
    call: Patches & { dy: Floats } & Record<'dPatchEmbeddings' | 'dClsToken' | 'dPositionEmbeddings', Optional<Floats>>,
  ): void
  /** Puts the mask token where mask [B, N] is 1: output [B, N, C]. */
  maskTokens(call: Patches & Record<'patchEmbeddings' | 'maskToken' | 'mask' | 'output', Floats>): void
  /** Gradients of maskTokens, of dy [B, N, C]. */
  maskTokensGrad(
    call: Patches & { dy: Floats; mask: Floats } & Record<'dPatchEmbeddings' | 'dMaskToken', Optional<Floats>>,
  ): void
  /** x [B, N, C] → output [B, C], one token of each image. */
  selectToken(call: Tokens & { x: Floats; output: Floats }): void
  /** Gradient of selectToken: dx [B, N, C], 0 at the other tokens. */
  selectTokenGrad(call: Tokens & { dy: Floats; dx: Floats }): void
  /** Position embeddings of one grid for another. */
  interpolatePositions(call: Grids & { positionEmbeddings: Floats; output: Floats }): void
  /** Gradient of interpolatePositions. */
  interpolatePositionsGrad(call: Grids & { dy: Floats; dx: Floats }): void

  /** x [rows, C] → output [rows, C]; mean and rstd [rows] for the gradient. */
  layerNorm(
    call: Norm & {
      bias: Floats
      eps: number
      output: FloatsOrBf16
      mean: Optional<Floats>
      rstd: Optional<Floats>
    },
  ): void
  /** Gradients of layerNorm, of dy [rows, C]. */
  layerNormGrad(
    call: Norm & { dy: Floats; mean: Floats; rstd: Floats } & Record<'dx' | 'dWeight' | 'dBias', Optional<Floats>>,
  ): void
  /** How many floats a weight has once it is packed. */
  packedLinearFloats(call: { inputs: number; outputs: number; dtype: ComputeDtype }): number
  /** Packs a weight [outputs, inputs] in the order in which the product reads it. */
  packLinear(call: { inputs: number; outputs: number; dtype: ComputeDtype; weight: Floats; packed: Floats }): void
  /** x [rows, inputs] → output [rows, outputs], with bias, drops and residual. */
  linear(
    call: Linear & {
      packed: Optional<Floats>
      bias: Optional<Floats>
      residual: Optional<Floats>
      drops: Drops
      output: FloatsOrBf16
    },
  ): void
  /** Gradients of linear, of dy [rows, outputs]. */
  linearGrad(call: Linear & { dy: Floats } & Record<'dx' | 'dWeight' | 'dBias', Optional<Floats>>): void
  /** Packs the weights of query, key and value as one. */
  packQkv(call: QkvWeightArrays & { hiddenSize: number; dtype: ComputeDtype; packed: Floats }): void
  /** x [rows, C] → output [rows, 3·C]. */
  qkv(call: Qkv & Record<QkvBiasName | 'packed', Optional<Floats>> & { output: FloatsOrBf16 }): void
  /** Gradients of qkv, of dy [rows, 3·C]. */
  qkvGrad(call: Qkv & QkvGradients & { dy: Floats; dx: Optional<Floats> }): void
  /** qkv [B, N, 3·C] → output [B, N, C]; logSumExp [B, H, N] for the gradient. */
  attention(call: Attention & { logSumExp: Optional<Floats> }): void
  /** Gradient of attention: dQkv [B, N, 3·C]. */
  attentionGrad(call: Attention & Record<'dy' | 'logSumExp' | 'dQkv', Floats>): void
  /** How many numbers the forward pass saves for the gradient. */
  classAttentionFloats(heads: Heads): number
  /** Attention of the class token alone: x [B, N, C] → output [B, 1, C]. */
  classAttention(call: ClassAttention & Record<'queryBias' | 'valueBias', Optional<Floats>> & { output: Floats }): void
  /** The key's bias has a gradient of zero. */
  classAttentionGrad(call: ClassAttention & Omit<QkvGradients, 'dKeyBias'> & { dy: Floats; dx: Optional<Floats> }): void
  /** How large the workspace of `encoder` is. */
  encoderFloats(shape: EncoderLayerShape): number
  /** All layers of an encoder, forward alone: x [B, N, C] → output [B, N, C], or [B, 1, C] of the class token. */
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
  /** One layer, with the activations that its gradient reads: x [B, N, C] → output [B, N, C]. */
  encoderLayer(call: EncoderLayer & { output: Floats }): void
  /** `gradients` are in the order of the parameters; an empty array stands for one that is not wanted. */
  encoderLayerGrad(call: EncoderLayer & { dy: Floats; dx: Optional<Floats>; gradients: Floats[] }): void

  /** Exact GELU of each element. */
  gelu(call: { size: number; x: Floats; output: Floats }): void
  /** Gradient of gelu. */
  geluGrad(call: { size: number; dy: Floats; x: Floats; dx: Floats }): void
  /** Dropout and drop path of x [rows, columns]. */
  dropRows(call: { rows: number; columns: number; x: Floats; drops: Drops; output: Floats }): void
  /** Mean loss of logits [B, K]. */
  crossEntropy(call: CrossEntropy): number
  /** Gradient of crossEntropy: dLogits [B, K]. */
  crossEntropyGrad(call: CrossEntropy & { dy: number; dLogits: Floats }): void
  /** The 2-norm of all gradients together. */
  gradNorm(call: { gradients: Floats[] }): number
  /** Multiplies gradients by a factor. @returns whether all gradients were finite */
  unscale(call: { gradients: Floats[]; scale: number; outputs: Floats[] }): boolean
  /** A step of Adam or AdamW, in place. */
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
  /** A step of Lion, in place. */
  lionStep(call: OptimizerStep & { beta1: number; beta2: number; averages: Floats[] }): void

  /** a + b, element by element. */
  add(call: Elementwise): void
  /** a − b, element by element. */
  subtract(call: Elementwise): void
  /** a · b, element by element. */
  multiply(call: Elementwise): void
  /** Softmax of each row of x [rows, columns]. */
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
