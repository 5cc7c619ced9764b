/** Checks a configuration's counts against the weights' headers: a few bytes may not ask for memory that no weights fill. */
import { listNames } from '../../text.ts'
import { resolveConfig, type ViTConfigOptions } from '../config.ts'

/**
 * @param config as it was read, its defaults not filled in
 * @param shapes of the weights, by the names in the files
 * @param folder what errors call both
 * @throws when the names are no ViT's, or the numbers of layers or of classes differ
 */
export function checkCounts(
  { numHiddenLayers = resolveConfig().numHiddenLayers, numLabels, id2label }: ViTConfigOptions,
  shapes: ReadonlyMap<string, readonly number[]>,
  folder: string,
): void {
  const names = [...shapes.keys()]
  if (!names.some(name => /^(vit\.)?(embeddings|encoder|layers|layernorm)\./.test(name)))
    throw new Error(
      `The weights in ${folder} are not named as transformers names those of a ViT: ${listNames(names, 3)}; ` +
        `expected vit.embeddings.cls_token and so on.${names.some(isTimms) ? ' The names are those of timm; convert it with its script for transformers.' : ''}`,
    )
  const layers = new Set(names.map(name => layerOf.exec(name)?.[1]).filter(index => index !== undefined)).size
  if (layers !== numHiddenLayers)
    throw new Error(
      `The weights in ${folder} have ${layers} layers, but num_hidden_layers is ${numHiddenLayers}; expected the same number.`,
    )
  const classes = shapes.get('classifier.weight')?.[0]
  if (!id2label && numLabels !== undefined && classes !== undefined && classes !== numLabels)
    throw new Error(
      `The weights in ${folder} have a classifier of ${classes} classes, but num_labels is ${numLabels}; expected the same number.`,
    )
}

const layerOf = /^(?:vit\.)?(?:encoder\.layer|layers)\.(\d+)\./

const isTimms = (name: string): boolean => /^(cls_token|pos_embed|patch_embed\.proj|blocks\.\d+\.)/.test(name)
