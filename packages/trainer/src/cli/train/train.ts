/** `vitral train`: a recipe, data and a folder in; a trained model out. */
import { basename } from 'node:path'
import { type Command, dataOptions, defineCommand } from '../command.ts'
import { recipeArgument, recipeOf } from '../recipe-option.ts'
import { runTraining } from './run-training.ts'
import { trainingHelp, trainingOptions } from './training-options.ts'

export const train: Command = defineCommand({
  summary: 'trains a model by a recipe',
  goesOnUnread: true,
  usage: ['train RECIPE [--data PATH] [--out DIR]'],
  about: recipeArgument,
  ...trainingHelp,
  options: { data: dataOptions.data, ...trainingOptions('runs/RECIPE') },

  async run({ values, positionals, args }) {
    const { name, recipe } = await recipeOf(positionals, values)
    const { out = `runs/${basename(name).replace(/\.[^.]+$/, '')}`, data } = values
    return runTraining({ command: 'train', args, values, name, recipe, data, out })
  },
})
