/** Checks a configuration's counts against the weights' headers: a few bytes may not ask for memory that no weights fill. */
import { listNames } from '../../text.ts'
import { resolveConfig, type ViTConfigOptions } from '../config.ts'
import { bareNames } from '../families/file-tensors.ts'
import { families } from '../families/index.ts'

/**
 * @param config as it was read, its defaults not filled in
 * @param shapes of the weights, by the names in the files
 * @param folder what errors call both
 * @throws when the names are no ViT's, or the numbers of layers or of classes differ
 */
export function checkCounts(
  { modelType = 'vit', numHiddenLayers = resolveConfig({ modelType }).numHiddenLayers, ...options }: ViTConfigOptions,
  shapes: ReadonlyMap<string, readonly number[]>,
  folder: string,
): void {
  const { numLabels, id2label } = options
  const { names } = families[modelType]
  const bare = bareNames(shapes, names, folder)
  const own = [...bare.keys()]
  const begins = ['embeddings.', 'layernorm.', names.layers]
  if (modelType !== 'timm' && !own.some(name => begins.some(begin => name.startsWith(begin))))
    throw new Error(
      `The weights in ${folder} are not named as transformers names those of a ${modelType} model: ${listNames([...shapes.keys()], 3)}; ` +
        `expected ${names.prefixes.classifier}${names.layers}0 and so on.${own.some(isTimms) ? ' The names are those of timm, whose config.json has an architecture.' : ''}`,
    )
  const indices = own
    .filter(name => name.startsWith(names.layers))
    .map(name => name.slice(names.layers.length).split('.')[0])
  const layers = new Set(indices).size
  if (layers !== numHiddenLayers)
    throw new Error(
      `The weights in ${folder} have ${layers} layers, but num_hidden_layers is ${numHiddenLayers}; expected the same number.`,
    )
  const classes = numClasses(shapes)
  if (!id2label && numLabels !== undefined && classes !== undefined && classes !== numLabels)
    throw new Error(
      `The weights in ${folder} have a classifier of ${classes} classes, but num_labels is ${numLabels}; expected the same number.`,
    )
}

/** Rows of the classifier, if the weights have one. */
export const numClasses = (shapes: ReadonlyMap<string, readonly number[]>): number | undefined =>
  (shapes.get('classifier.weight') ?? shapes.get('cls_classifier.weight') ?? shapes.get('head.weight'))?.[0]

const isTimms = (name: string): boolean => /^(cls_token|pos_embed|patch_embed\.proj|blocks\.\d+\.)/.test(name)
