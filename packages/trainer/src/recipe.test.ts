import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRecipe } from './load-recipe.ts'
import { defineRecipe, overrideRecipe, type RecipeOptions } from './recipe.ts'
import { recipes } from './recipes/index.ts'

const minimal: RecipeOptions = {
  model: { name: 'vit-base-patch16-224' },
  dataset: 'cifar10',
  transforms: 'article-fine-tune',
  batchSize: 2,
  epochs: 1,
  optimizer: { name: 'adam' },
}

describe('defineRecipe', () => {
  test('fills in the defaults', () => {
    expect(defineRecipe(minimal)).toEqual({
      ...minimal,
      fineTune: 'all',
      evalBatchSize: 100,
      schedule: { name: 'constant' },
      labelSmoothing: 0,
      precision: 'float32',
      gradientCheckpointing: false,
      clipGradNorm: null,
      seed: 42,
    })
  })

  test.each([
    [{ epochs: 0 }, "The recipe's epochs is 0; expected a whole number of at least 1."],
    [{ batchSize: 2.5 }, "The recipe's batchSize is 2.5; expected a whole number of at least 1."],
    [{ dataset: undefined }, "The recipe's dataset is missing; expected a name."],
    [{ batchsize: 2 }, "A recipe has no field 'batchsize'; expected one of model, dataset"],
    [
      { optimizer: { name: 'adam', rl: 1 } },
      "A recipe has no field 'optimizer.rl'; expected one of optimizer.name, optimizer.lr",
    ],
    [{ optimizer: { name: 'adma' } }, 'optimizer.name is "adma"; expected one of adam, adamw, sgd'],
    [{ optimizer: { name: 'adam', momentum: 0.9 } }, "'adam' has no option 'momentum'"],
    [{ optimizer: { name: 'adam', lr: 'fast' } }, 'optimizer\'s lr is "fast"; expected a number'],
    [{ schedule: { name: 'cosine', warmupEpochs: 2 } }, 'schedule.warmupEpochs is 2; expected at most its epochs, 1'],
    [{ model: { name: 'a', pretrained: 'b' } }, 'expected one of them'],
    [
      { model: { config: { hidenSize: 8 } } },
      "no field 'model.config.hidenSize'; expected one of model.config.hiddenSize",
    ],
    [{ model: 'vit' }, 'model is "vit"; expected an object with fields'],
    [{ gradientCheckpointing: 1 as never }, 'gradientCheckpointing is 1; expected true or false'],
    [{ fineTune: 'tail' as never }, "fineTune is \"tail\"; expected 'all', 'head', { lastLayers } or { lora }"],
    [{ fineTune: {} as never }, 'fineTune is {}; expected'],
    [{ fineTune: { lastLayers: 2, lora: {} } }, 'fineTune is {"lastLayers":2,"lora":{}}; expected'],
    [{ fineTune: { lastLayers: 0 } }, 'fineTune.lastLayers is 0; expected a whole number of at least 1'],
    [
      { fineTune: { layers: 2 } as never },
      "no field 'fineTune.layers'; expected one of fineTune.lastLayers, fineTune.",
    ],
    [{ fineTune: { lora: { r: 2 } } as never }, "no field 'fineTune.lora.r'; expected one of fineTune.lora.rank"],
    [{ fineTune: { lora: { rank: 0 } } }, "The recipe's fineTune.lora: LoRA: rank is 0; expected a whole number"],
    [{ fineTune: { lora: { targets: 'query' } } as never }, 'targets is "query"; expected some of query, key'],
    [{ clipGradNorm: 0 }, 'clipGradNorm is 0; expected a number above 0, or null'],
    [{ seed: -1 }, 'seed is -1'],
    [{ labelSmoothing: 1 }, 'labelSmoothing is 1; expected a number from 0 to below 1'],
  ])('%j is refused: %s', (change, message) => {
    expect(() => defineRecipe({ ...minimal, ...change } as RecipeOptions)).toThrow(message)
  })
})

describe('overrideRecipe', () => {
  const recipe = defineRecipe(minimal)

  test('sets fields by dotted keys and leaves the recipe it was given', () => {
    const changed = overrideRecipe(recipe, [
      'optimizer.lr=3e-4',
      'optimizer.betas=[0.9, 0.95]',
      'model.config.numHiddenLayers=2',
      'dataset=cifar100',
      'schedule.name=cosine',
    ])
    expect(changed.optimizer).toEqual({ name: 'adam', lr: 3e-4, betas: [0.9, 0.95] })
    expect(changed.model.config).toEqual({ numHiddenLayers: 2 })
    expect(changed.dataset).toBe('cifar100')
    expect(changed.schedule.name).toBe('cosine')
    expect(recipe).toEqual(defineRecipe(minimal))
  })

  test('sets the way to fine-tune, over the name of another', () => {
    expect(overrideRecipe(recipe, ['fineTune=head']).fineTune).toBe('head')
    expect(overrideRecipe(recipe, ['fineTune.lastLayers=2']).fineTune).toEqual({ lastLayers: 2 })
    const lora = overrideRecipe(recipe, ['fineTune.lora.rank=4', 'fineTune.lora.targets=["query","output.dense"]'])
    expect(lora.fineTune).toEqual({ lora: { rank: 4, targets: ['query', 'output.dense'] } })
    expect(overrideRecipe(lora, ['fineTune={"lora":{}}']).fineTune).toEqual({ lora: {} })
  })

  test.each([
    ['epochs', '--set epochs: expected key=value'],
    ['=3', '--set =3: expected key=value'],
    ['epochs=many', 'epochs is "many"; expected a whole number'],
    ['epoch=3', "no field 'epoch'"],
    ['clipGradNorm.max=3', 'clipGradNorm is {"max":3}; expected a number above 0, or null'],
    ['epochs.max=3', '--set epochs.max=3: epochs has no fields of its own'],
    ['__proto__.polluted=1', 'expected key=value'],
    ['model.constructor.prototype.x=1', 'expected key=value'],
  ])('%s is refused: %s', (setting, message) => {
    expect(() => overrideRecipe(recipe, [setting])).toThrow(message)
    expect('polluted' in {}).toBe(false)
  })
})

describe('loadRecipe', () => {
  test('every recipe has a docstring with its source, expectation, time and command', async () => {
    for (const name of Object.keys(recipes)) {
      const text = await Bun.file(join(import.meta.dirname, 'recipes', `${name}.ts`)).text()
      for (const part of ['Source:', 'Expected:', 'Time:', `vitral train ${name} `]) expect(text).toContain(part)
    }
  })

  test("takes a user's file", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitral-'))
    const path = join(folder, 'mine.ts')
    writeFileSync(path, `export default ${JSON.stringify(minimal)}`)
    expect(await loadRecipe(path)).toEqual(defineRecipe(minimal))
    const empty = join(folder, 'empty.ts')
    writeFileSync(empty, 'export const recipe = 1')
    await expect(loadRecipe(empty)).rejects.toThrow('no default export that is a recipe')
  })

  test('names what there is when there is no such recipe', async () => {
    await expect(loadRecipe('cifar10-mcro')).rejects.toThrow("no recipe 'cifar10-mcro'; expected one of cifar10-demo,")
    await expect(loadRecipe('./none.ts')).rejects.toThrow('There is no recipe file')
  })
})
