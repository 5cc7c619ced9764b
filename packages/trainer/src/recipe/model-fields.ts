/** Fields of a recipe about the model: where it starts, and which of its parameters train. */
import { configNames, type LoraConfig, namedConfig, type ViTConfigOptions } from '@vitral/core'
import { loraTargets, resolveLora } from '@vitral/core/vit'
import { z } from 'zod'
import { aboveZero, type Fields, group, listOf, oneOf, part, text, typeNames, wholeNumber } from './kinds.ts'
import type { FineTune, RecipeModel } from './types.ts'

/** Fields of a configuration that a recipe cannot set: classes come from the data set, and a classifier has no pooler and no projection. */
const notInRecipes = ['numLabels', 'id2label', 'extra', 'poolerAct', 'poolerOutputSize', 'projectionDim']

/** Fields of a configuration, which are checked when the model is created; editors are told their types. */
const configFields = Object.entries({ ...namedConfig(configNames[0] as string), mlpRatio: 4 })
  .filter(([name]) => !notInRecipes.includes(name))
  .map(([name, value]) => [name, z.any().optional().meta(typeOf(name, value))])

function typeOf(name: string, value: unknown): Record<string, unknown> {
  if (name === 'imageSize' || name === 'patchSize') return { description: 'Pixels, or [height, width].' }
  return value === null ? {} : { type: typeof value }
}

const config: z.ZodType<ViTConfigOptions> = group(Object.fromEntries(configFields)).register(typeNames, {
  type: `Omit<ViTConfigOptions, ${notInRecipes.map(name => `'${name}'`).join(' | ')}>`,
})

/** Where the model comes from. */
export const modelFields: Fields<RecipeModel> = {
  pretrained: text('a folder or a hub id')
    .optional()
    .describe(
      'A folder or hub id to start from; its classifier is newly initialized unless the classes have the same names in the same order.',
    ),
  name: text('the name of a configuration')
    .optional()
    .describe("A named configuration to start from, such as 'vit-base-patch16-224', newly initialized."),
  config: config
    .optional()
    .describe('Fields over those of the above, or over the defaults of ViT-B/16. The classes come from the data set.'),
  init: oneOf(['normal', 'mimetic']).optional().meta({
    description:
      "Initialisation of new parameters. 'normal': Hugging Face's. 'mimetic': attention and positions begin with what trained models have in common, from which a small model on few images learns far faster.",
    defaultNote: "'normal'",
  }),
}

const { rank, alpha, targets } = resolveLora()

const loraFields: Fields<LoraConfig> = {
  rank: wholeNumber(1).default(rank).describe("Rank of the adapters. PEFT's r."),
  alpha: aboveZero.default(alpha).describe("The adapters' product is scaled by alpha / rank. PEFT's lora_alpha."),
  targets: listOf(expected => oneOf(loraTargets, { expected }), `some of ${loraTargets.join(', ')}`, 1)
    .default(targets)
    .describe("Layers that get adapters. PEFT's target_modules."),
}

/** What trains. */
export const fineTune: z.ZodType<FineTune> = z
  .union(
    [
      z.literal('all').describe('The whole model.'),
      z.literal('head').describe('The classifier alone.'),
      group({
        lastLayers: wholeNumber(1).describe('So many of the last layers train, with the final norm and the head.'),
      }),
      group({
        lora: part('Partial<LoraConfig>', loraFields).describe(
          "Low-rank adapters train with the head, as PEFT's LoraConfig; they are merged when the model is saved.",
        ),
      }),
    ],
    "'all', 'head', { lastLayers } or { lora }",
  )
  .register(typeNames, { type: 'FineTune' })
