/** How images were prepared for the model that a recipe starts from, and whether the recipe prepares them so. */
import { type HubOptions, ViTImageProcessor } from '@vitral/core'
import type { TransformSpec } from '@vitral/datasets'
import type { Recipe } from '../recipe/types.ts'
import { transformsOf } from './processor.ts'

/**
 * The processor of a recipe's pretrained model, downloaded if need be.
 *
 * @returns undefined for a fresh model, and for a folder that has none
 */
export async function pretrainedProcessor(
  { model: { pretrained } }: Pick<Recipe, 'model'>,
  hub: HubOptions = {},
): Promise<ViTImageProcessor | undefined> {
  if (pretrained === undefined) return undefined
  return (await ViTImageProcessor.isIn(pretrained, hub)) ? ViTImageProcessor.fromPretrained(pretrained, hub) : undefined
}

/**
 * @param processor what prepares images as the recipe's evaluation does
 * @returns lines; none for a fresh model
 */
export function describePreparation(
  { model: { pretrained } }: Pick<Recipe, 'model'>,
  processor: ViTImageProcessor,
  its: ViTImageProcessor | undefined,
): string[] {
  if (pretrained === undefined) return []
  if (!its) return [`${pretrained} has no preprocessor_config.json: images are prepared as the recipe says alone.`]
  const [ours, theirs] = [processor, its].map(made => transformsOf(made).map(textOf)) as [string[], string[]]
  const only = (texts: string[], others: string[]): string =>
    texts.filter(text => !others.includes(text)).join(', ') || 'nothing else'
  if (ours.join() === theirs.join()) return [`Images are prepared as for ${pretrained}: ${theirs.join(', ')}.`]
  return [
    `Images are not prepared as for ${pretrained}: the recipe has ${only(ours, theirs)}, and the model was made for ${only(theirs, ours)}.`,
  ]
}

const textOf = ({ name, args }: TransformSpec): string =>
  `${name}(${args.map(argument => JSON.stringify(argument)).join(', ')})`
