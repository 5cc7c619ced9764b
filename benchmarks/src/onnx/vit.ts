/**
 * A ViT classifier as an ONNX file, so that ONNX Runtime can be a peer without Python: the graph as PyTorch's exporter
 * writes it (operator set 17), which ONNX Runtime's optimiser then fuses. Its own MultiHeadAttention and
 * SkipLayerNormalization, written in by hand, were tried and are no faster on a CPU.
 */
import type { ViTConfig } from '@vitral/core'
import { type Attribute, OnnxGraph } from './graph.ts'
import type { Encoded } from './protobuf.ts'

/** Gives a tensor of the model folder by its Hugging Face name. */
export type Weights = (name: string) => { shape: readonly number[]; data: Float32Array }

export interface ExportOptions {
  /**
   * Linear layers in bytes, as onnxruntime's `quantize_dynamic` writes them: weights rounded beforehand, what they multiply
   * over its own range as it comes. Each output of a weight has a scale of its own (`per_channel`). @default false
   */
  int8?: boolean
}

/** Input `pixel_values` [batch, c, h, w], output `logits` [batch, numLabels]; the batch is free. */
export function exportViT(config: ViTConfig, weights: Weights, { int8 = false }: ExportOptions = {}): Encoded {
  return new ViTExporter(config, weights, int8).export()
}

class ViTExporter {
  readonly #config: ViTConfig
  readonly #weights: Weights
  readonly #int8: boolean
  readonly #graph = new OnnxGraph()
  /** Quantised values by the name of what they are of: the three projections of a layer read the same. */
  readonly #quantised = new Map<string, string>()

  constructor(config: ViTConfig, weights: Weights, int8: boolean) {
    this.#config = config
    this.#weights = weights
    this.#int8 = int8
  }

  export(): Encoded {
    const { numHiddenLayers, numChannels, imageSize } = this.#config
    const [height, width] = pair(imageSize)
    let x = this.#embeddings('pixel_values') // [B, N, C]
    for (let i = 0; i < numHiddenLayers; i++) x = this.#layer(x, `vit.encoder.layer.${i}`)
    const normalized = this.#layerNorm(x, 'vit.layernorm')
    const token = this.#node('Gather', [normalized, this.#graph.ints([0], [])], { axis: 1 }) // [B, C]
    const classifier = ['classifier.weight', 'classifier.bias'].map(name => this.#weight(name))
    this.#graph.node('Gemm', [token, ...classifier], { attributes: { transB: 1 }, name: 'logits' })
    const numLabels = this.#weights('classifier.bias').data.length
    return this.#graph.encode(
      { name: 'pixel_values', shape: ['batch', numChannels, height, width] },
      { name: 'logits', shape: ['batch', numLabels] },
    )
  }

  /** [B, c, h, w] → [B, 1 + N, C] */
  #embeddings(pixelValues: string): string {
    const { hiddenSize, patchSize } = this.#config
    const name = 'vit.embeddings'
    const filters = ['weight', 'bias'].map(part => this.#weight(`${name}.patch_embeddings.projection.${part}`))
    const grid = this.#node('Conv', [pixelValues, ...filters], {
      kernel_shape: pair(patchSize),
      strides: pair(patchSize),
    })
    const columns = this.#node('Reshape', [grid, this.#graph.ints([0, hiddenSize, -1])]) // [B, C, N]
    const patches = this.#node('Transpose', [columns], { perm: [0, 2, 1] })
    const batch = this.#node('Shape', [pixelValues], { start: 0, end: 1 })
    const tokenShape = this.#node('Concat', [batch, this.#graph.ints([1, hiddenSize])], { axis: 0 })
    const clsTokens = this.#node('Expand', [this.#weight(`${name}.cls_token`), tokenShape])
    const tokens = this.#node('Concat', [clsTokens, patches], { axis: 1 })
    return this.#node('Add', [tokens, this.#weight(`${name}.position_embeddings`)])
  }

  #layer(x: string, name: string): string {
    const attended = this.#selfAttention(this.#layerNorm(x, `${name}.layernorm_before`), name)
    x = this.#node('Add', [this.#linear(attended, `${name}.attention.output.dense`), x])
    const hidden = this.#linear(this.#layerNorm(x, `${name}.layernorm_after`), `${name}.intermediate.dense`)
    return this.#node('Add', [this.#linear(this.#gelu(hidden), `${name}.output.dense`), x])
  }

  #selfAttention(x: string, name: string): string {
    const { hiddenSize, numAttentionHeads, qkvBias } = this.#config
    const heads = this.#graph.ints([0, 0, numAttentionHeads, hiddenSize / numAttentionHeads])
    const project = (part: 'query' | 'key' | 'value', perm: readonly number[]) => {
      const projection = `${name}.attention.attention.${part}`
      const projected = qkvBias ? this.#linear(x, projection) : this.#product(x, `${projection}.weight`)
      return this.#node('Transpose', [this.#node('Reshape', [projected, heads])], { perm })
    }
    const query = project('query', [0, 2, 1, 3]) // [B, H, N, D]
    const key = project('key', [0, 2, 3, 1]) // [B, H, D, N]
    const value = project('value', [0, 2, 1, 3]) // [B, H, N, D]
    const scores = this.#node('Mul', [this.#node('MatMul', [query, key]), this.#scalar(this.#scale())]) // [B, H, N, N]
    const attended = this.#node('MatMul', [this.#node('Softmax', [scores], { axis: -1 }), value]) // [B, H, N, D]
    const tokensFirst = this.#node('Transpose', [attended], { perm: [0, 2, 1, 3] }) // [B, N, H, D]
    return this.#node('Reshape', [tokensFirst, this.#graph.ints([0, 0, hiddenSize])])
  }

  /** Exact GELU as PyTorch's exporter writes it; fused with the bias before it. */
  #gelu(x: string): string {
    const erf = this.#node('Erf', [this.#node('Div', [x, this.#scalar(Math.SQRT2)])])
    const scaled = this.#node('Mul', [x, this.#node('Add', [erf, this.#scalar(1)])])
    return this.#node('Mul', [scaled, this.#scalar(0.5)])
  }

  #layerNorm(x: string, name: string): string {
    const affine = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)]
    return this.#node('LayerNormalization', [x, ...affine], { axis: -1, epsilon: { float: this.#config.layerNormEps } })
  }

  #linear(x: string, name: string): string {
    return this.#node('Add', [this.#product(x, `${name}.weight`), this.#weight(`${name}.bias`)])
  }

  /** x·Wᵀ; the weight is transposed here, since MatMul does not. */
  #product(x: string, weightName: string): string {
    const { shape, data } = this.#weights(weightName)
    const [rows = 0, columns = 0] = shape
    const transposed = transpose(data, rows, columns)
    if (this.#int8) return this.#byteProduct(x, columns, rows, transposed)
    return this.#node('MatMul', [x, this.#graph.weight([columns, rows], transposed)])
  }

  /** The same with both factors rounded to bytes, the weight [inputs, outputs] symmetrically. */
  #byteProduct(x: string, inputs: number, outputs: number, weight: Float32Array): string {
    const steps = new Float32Array(outputs)
    for (const [i, value] of weight.entries())
      steps[i % outputs] = Math.max(steps[i % outputs] as number, Math.abs(value) / 127)
    const bytes = Int8Array.from(weight, (value, i) => Math.round(value / (steps[i % outputs] || 1)))
    const quantised = this.#quantised.get(x) ?? this.#graph.node('DynamicQuantizeLinear', [x], { outputs: 3 })
    this.#quantised.set(x, quantised)
    const factors = [quantised, this.#graph.bytes([inputs, outputs], bytes)]
    const sums = this.#node('MatMulInteger', [...factors, `${quantised}_2`])
    const scale = this.#node('Mul', [`${quantised}_1`, this.#graph.weight([outputs], steps)])
    return this.#node('Mul', [this.#node('Cast', [sums], { to: 1 }), scale]) // 1 is float32
  }

  #scale(): number {
    const { qkScale, hiddenSize, numAttentionHeads } = this.#config
    return qkScale ?? (hiddenSize / numAttentionHeads) ** -0.5
  }

  #weight(name: string): string {
    const { shape, data } = this.#weights(name)
    return this.#graph.weight(shape, data)
  }

  #scalar(value: number): string {
    return this.#graph.weight([], Float32Array.of(value))
  }

  #node(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.#graph.node(operator, inputs, { attributes })
  }
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[column * rows + row] = data[row * columns + column] as number
  return transposed
}

const pair = (size: number | readonly [number, number]): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size
