/** The names of a ViT's tensors: transformers 4's are ours; transformers 5's and a missing prefix are brought to them. */

/** Within a layer, transformers 5's names and the ones on disk. */
const renamed: readonly (readonly [v5: string, name: string])[] = [
  ['attention.q_proj', 'attention.attention.query'],
  ['attention.k_proj', 'attention.attention.key'],
  ['attention.v_proj', 'attention.attention.value'],
  ['attention.o_proj', 'attention.output.dense'],
  ['mlp.fc1', 'intermediate.dense'],
  ['mlp.fc2', 'output.dense'],
]

/**
 * Tensors by the names they have in our models.
 *
 * @param source what errors call the folder
 * @throws when two tensors have the same name in our models: there is no saying which is meant
 */
export function canonicalNames<T>(tensors: ReadonlyMap<string, T>, prefix: string, source: string): Map<string, T> {
  const named = new Map<string, T>()
  for (const [name, tensor] of tensors) {
    const canonical = canonicalName(name, prefix)
    if (named.has(canonical)) throw new Error(`${source} has the tensor ${canonical} twice, once as ${name}.`)
    named.set(canonical, tensor)
  }
  return named
}

/**
 * The name a tensor has in our models.
 *
 * @param prefix the backbone's in the model that is being loaded: `vit.` in a classifier, nothing in a ViTModel
 * @example
 * canonicalName('layers.3.mlp.fc1.weight', 'vit.') // 'vit.encoder.layer.3.intermediate.dense.weight'
 */
function canonicalName(name: string, prefix: string): string {
  const bare = name.startsWith('vit.') ? name.slice('vit.'.length) : name
  const layer = /^layers\.(\d+)\.(.+)$/.exec(bare)
  const current = layer ? `encoder.layer.${layer[1]}.${renameInLayer(layer[2] as string)}` : bare
  return isBackbone(current) ? prefix + current : name
}

const isBackbone = (name: string): boolean => /^(embeddings|encoder|layernorm|pooler)\./.test(name)

function renameInLayer(rest: string): string {
  const found = renamed.find(([v5]) => rest.startsWith(`${v5}.`))
  return found ? found[1] + rest.slice(found[0].length) : rest
}
