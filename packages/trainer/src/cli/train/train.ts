/** `vitral train`: a recipe, data and a folder in; a trained model out. */
import { basename } from 'node:path'
import { datasetNames } from '../../data/open-dataset.ts'
import { recipes } from '../../recipes/index.ts'
import { type Command, parse } from '../command.ts'
import { recipeOf } from '../recipe-option.ts'
import { runTraining } from './run-training.ts'
import { trainingHelp, trainingOptions, withDashboardPort } from './training-options.ts'

const options = { ...trainingOptions, data: { type: 'string', default: 'data' } } as const

export const train: Command = {
  summary: 'trains a model by a recipe',
  goesOnUnread: true,
  help: `Usage: vitral train RECIPE [--data PATH] [--out DIR] [OPTIONS]

RECIPE is ${Object.keys(recipes).join(', ')}, or the path of a module that exports one.

  --data PATH        where the data set is (data): its folder, or the file of a manifest
  --dataset NAME     another than the recipe's: ${datasetNames.join(', ')}
  --download         downloads the data set to --data first, unless it is there
${trainingHelp('runs/RECIPE')}`,

  async run(args) {
    const { values, positionals } = parse(withDashboardPort(args), options)
    const { name, recipe } = await recipeOf(positionals, values)
    const { out = `runs/${basename(name).replace(/\.[^.]+$/, '')}`, data } = values
    return runTraining({ command: 'train', args, values, name, recipe, data, out })
  },
}
