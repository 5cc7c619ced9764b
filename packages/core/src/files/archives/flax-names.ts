/**
 * The arrays of google-research/vision_transformer (Flax) by the names and layouts of transformers' ViT. Source: its
 * models_vit.py, and transformers' convert_vit_timm_to_pytorch.py for the names.
 */

interface Layout {
  name: string
  shape: number[]
  /** In elements of the array. */
  strides: number[]
}

const inBlock: Readonly<Record<string, string>> = {
  'LayerNorm_0/scale': 'layernorm_before.weight',
  'LayerNorm_0/bias': 'layernorm_before.bias',
  'LayerNorm_2/scale': 'layernorm_after.weight',
  'LayerNorm_2/bias': 'layernorm_after.bias',
  'MultiHeadDotProductAttention_1/query': 'attention.attention.query',
  'MultiHeadDotProductAttention_1/key': 'attention.attention.key',
  'MultiHeadDotProductAttention_1/value': 'attention.attention.value',
  'MultiHeadDotProductAttention_1/out': 'attention.output.dense',
  'MlpBlock_3/Dense_0': 'intermediate.dense',
  'MlpBlock_3/Dense_1': 'output.dense',
}

const others: Readonly<Record<string, string>> = {
  cls: 'embeddings.cls_token',
  'Transformer/posembed_input/pos_embedding': 'embeddings.position_embeddings',
  embedding: 'embeddings.patch_embeddings.projection',
  'Transformer/encoder_norm/scale': 'layernorm.weight',
  'Transformer/encoder_norm/bias': 'layernorm.bias',
  pre_logits: 'pooler.dense',
  head: 'classifier',
}

/**
 * An array as transformers has it: a kernel [in, out] is a weight [out, in], and the heads' axes are one.
 *
 * @returns under its own name where Vitral has no other
 */
export function fromFlax(array: string, shape: readonly number[]): Layout {
  const [, block, rest = ''] = /^Transformer\/encoderblock_(\d+)\/(.+)$/.exec(array) ?? []
  const [table, path] = block === undefined ? [others, array] : [inBlock, rest]
  const whole = Object.hasOwn(table, path) ? table[path] : undefined
  const [, layer = '', part] = /^(.+)\/(kernel|bias)$/.exec(path) ?? []
  const module = Object.hasOwn(table, layer) ? table[layer] : undefined
  const named = whole ?? (module && `${module}.${part === 'kernel' ? 'weight' : 'bias'}`)
  const name = named === undefined ? array : block === undefined ? named : `encoder.layer.${block}.${named}`
  return { name, ...(part === 'kernel' && named !== undefined ? kernelLayout(path, shape) : flat(shape, part)) }
}

/** Biases of heads [H, D] are vectors. */
function flat(shape: readonly number[], part?: string): Omit<Layout, 'name'> {
  const own = part === 'bias' ? [shape.reduce((product, size) => product * size, 1)] : [...shape]
  return { shape: own, strides: own.map((_, axis) => own.slice(axis + 1).reduce((product, size) => product * size, 1)) }
}

function kernelLayout(path: string, shape: readonly number[]): Omit<Layout, 'name'> {
  if (path === 'embedding/kernel') {
    const [height = 0, width = 0, channels = 0, out = 0] = shape
    return { shape: [out, channels, height, width], strides: [1, out, width * channels * out, channels * out] }
  }
  // The heads' axes belong to what comes out, and of the projection to what comes in.
  const inAxes = path.endsWith('/out/kernel') ? 2 : 1
  const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1)
  const [input, out] = [product(shape.slice(0, inAxes)), product(shape.slice(inAxes))]
  return { shape: [out, input], strides: [1, out] }
}
