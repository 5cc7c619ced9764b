/** From a recipe to the model that it trains. */
import {
  AutoModelForImageClassification,
  type HubOptions,
  namedConfig,
  type ViTConfigOptions,
  ViTForImageClassification,
} from '@vitral/core'
import { listNames } from '@vitral/core/text'
import { mimeticValues } from '@vitral/core/vit'
import { problemTypeOfData } from '../data/problem-type.ts'
import { applyFineTune } from '../recipe/fine-tune.ts'
import type { Recipe } from '../recipe/types.ts'

/** The classes of a data set. */
export interface ModelClasses {
  /** Their names. */
  labels: readonly string[]
  /** Whether an image may have several of them. @default false */
  multiLabel?: boolean
}

export interface CreateModelOptions {
  /** How a pretrained model is downloaded. */
  hub?: HubOptions
  /** Called with one line about weights that are newly initialized. @default a warning on the console */
  onNote?: (note: string) => void
}

/**
 * A fresh model, or a pretrained one with a classifier for these classes, of which the recipe's part trains.
 *
 * @throws when the configuration is not valid, the pretrained model cannot be loaded, or there is no such part
 */
export async function createModel(
  recipe: Recipe,
  classes: ModelClasses,
  options: CreateModelOptions = {},
): Promise<ViTForImageClassification> {
  const model = await wholeModel(recipe, classes, options)
  try {
    applyFineTune(model, recipe.fineTune, recipe.seed)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

async function wholeModel(
  recipe: Recipe,
  { labels, multiLabel = false }: ModelClasses,
  { hub, onNote = console.warn }: CreateModelOptions,
): Promise<ViTForImageClassification> {
  const { seed } = recipe
  const { pretrained, name, config, init } = recipe.model
  const problemType = problemTypeOfData(config?.problemType, { multiLabel })
  const fields: ViTConfigOptions = { ...config, problemType, numLabels: labels.length, id2label: { ...labels } }
  if (pretrained !== undefined)
    return AutoModelForImageClassification.fromPretrained(pretrained, {
      ...fields,
      ...hub,
      ignoreMismatchedSizes: true,
      keepHead: 'same-classes',
      onNewlyInitialized: names => onNote(describeNew(pretrained, names)),
      seed,
    })
  const complete = name === undefined ? fields : namedConfig(name, fields)
  const values = init === 'mimetic' ? mimeticValues(complete, { seed }) : undefined
  return new ViTForImageClassification(complete, { seed, values })
}

function describeNew(pretrained: string, names: readonly string[]): string {
  const head = names.filter(name => /^(distillation_)?classifier\./.test(name))
  const others = names.filter(name => !head.includes(name))
  return [
    ...(head.length > 0 ? [`The classifier is newly initialized, since ${pretrained} has other classes or none.`] : []),
    ...(others.length > 0 ? [`Newly initialized, since ${pretrained} has no such weights: ${listNames(others)}.`] : []),
  ].join(' ')
}
