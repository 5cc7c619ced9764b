import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transforms } from '@vitral/datasets'
import { recipes } from '../recipes/index.ts'
import { loadRecipe } from '../recipes/load.ts'
import { defineRecipe, overrideRecipe, type RecipeOptions } from './recipe.ts'
import { recipeTransforms } from './transforms.ts'

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
      evalSteps: null,
      earlyStopping: null,
      classes: null,
      validation: 0.1,
      sampler: { name: 'shuffled' },
      batchTransforms: [],
      microBatchSize: null,
      schedule: { name: 'constant' },
      loss: { name: 'cross-entropy' },
      distillation: null,
      precision: 'float32',
      gradientCheckpointing: false,
      clipGradNorm: null,
      clipGradValue: null,
      gradScaler: null,
      ema: null,
      seed: 42,
    })
  })

  test.each([
    [{ epochs: 0 }, "The recipe's epochs is 0; expected a whole number of at least 1."],
    [{ epochs: 2 ** 53 }, "The recipe's epochs is 9007199254740992; expected at most 2147483647."],
    [{ microBatchSize: 1e300 }, "The recipe's microBatchSize is 1e+300; expected at most 2147483647."],
    [{ clipGradNorm: Infinity }, "The recipe's clipGradNorm is Infinity; expected a number above 0, or null"],
    [
      { optimizer: { name: 'sgd', lr: Infinity } },
      "The recipe's optimizer.lr is Infinity; expected a number that is 0 or more",
    ],
    [
      { loss: { name: 'cross-entropy', classWeights: [Infinity] } },
      'loss.classWeights is ["Infinity"]; expected a list of numbers',
    ],
    [
      { schedule: { name: 'step', milestoneEpochs: [Infinity] } },
      'schedule.milestoneEpochs is ["Infinity"]; expected a list of epochs',
    ],
    [{ model: { config: { poolerAct: 'gelu' } } }, "A recipe has no field 'model.config.poolerAct'; expected"],
    [{ batchSize: 2.5 }, "The recipe's batchSize is 2.5; expected a whole number of at least 1."],
    [{ dataset: undefined }, "The recipe's dataset is missing; expected a name."],
    [{ batchsize: 2 }, "A recipe has no field 'batchsize'; expected one of model, fineTune"],
    [{ batchsize: 2 }, "more. Did you mean 'batchSize'?"],
    [
      { optimizer: { name: 'adam', rl: 1 } },
      "A recipe has no field 'optimizer.rl'; expected one of optimizer.name, optimizer.lr",
    ],
    [{ optimizer: { name: 'adma' } }, 'optimizer.name is "adma"; expected one of adam, adamw, sgd, lion'],
    [{ optimizer: { name: 'adam', momentum: 0.9 } }, "'adam' has no option 'momentum'"],
    [{ optimizer: { name: 'adam', lr: 'fast' } }, 'optimizer.lr is "fast"; expected a number'],
    [{ schedule: { name: 'cosine', warmupEpochs: 2 } }, 'schedule.warmupEpochs is 2; expected at most its epochs, 1'],
    [{ model: { name: 'a', pretrained: 'b' } }, 'expected one of them'],
    [
      { model: { config: { hidenSize: 8 } } },
      "no field 'model.config.hidenSize'; expected one of model.config.hiddenSize",
    ],
    [{ model: { init: 'zero' } }, 'model.init is "zero"; expected one of normal, mimetic'],
    [{ model: { pretrained: 'a', init: 'mimetic' } }, 'both init and a pretrained folder'],
    [{ model: 'vit' }, 'model is "vit"; expected an object with fields'],
    [{ gradientCheckpointing: 1 as never }, 'gradientCheckpointing is 1; expected true or false'],
    [{ clipGradValue: -1 }, 'clipGradValue is -1; expected a number above 0, or null'],
    [
      { optimizer: { name: 'adamw', layerDecay: 2 } },
      'optimizer.layerDecay is 2; expected a number above 0 and at most 1',
    ],
    [{ fineTune: 'tail' as never }, "fineTune is \"tail\"; expected 'all', 'head', { lastLayers } or { lora }"],
    [{ fineTune: {} as never }, 'fineTune is {}; expected'],
    [{ fineTune: { lastLayers: 2, lora: {} } }, 'fineTune is {"lastLayers":2,"lora":{}}; expected'],
    [{ fineTune: { lastLayers: 0 } }, 'fineTune.lastLayers is 0; expected a whole number of at least 1'],
    [
      { fineTune: { layers: 2 } as never },
      "no field 'fineTune.layers'; expected one of fineTune.lastLayers, fineTune.",
    ],
    [{ fineTune: { lora: { r: 2 } } as never }, "no field 'fineTune.lora.r'; expected one of fineTune.lora.rank"],
    [
      { fineTune: { lora: { rank: 0 } } },
      "The recipe's fineTune.lora.rank is 0; expected a whole number of at least 1",
    ],
    [{ fineTune: { lora: { targets: 'query' } } as never }, 'targets is "query"; expected some of query, key'],
    [{ clipGradNorm: 0 }, 'clipGradNorm is 0; expected a number above 0, or null'],
    [{ validation: 1 }, "validation is 1; expected a share between 0 and 1, or 'test'"],
    [{ validation: 'train' as never }, 'validation is "train"; expected a share'],
    [{ seed: -1 }, 'seed is -1'],
    [{ loss: { name: 'hinge' } }, 'loss.name is "hinge"; expected one of cross-entropy, binary-cross-entropy, focal'],
    [{ loss: { name: 'focal', labelSmoothing: 0.1 } }, "The loss 'focal' has no option 'labelSmoothing'; it has gamma"],
    [
      { loss: { name: 'cross-entropy', labelSmoothing: 1 } },
      'loss.labelSmoothing is 1; expected a number from 0 to below 1',
    ],
    [
      { loss: { name: 'cross-entropy', classWeights: [1, -1] } },
      'loss.classWeights is [1,-1]; expected a list of numbers that are 0 or more',
    ],
    [{ distillation: {} }, "The recipe's distillation.teacher is missing; expected a folder or a hub id."],
    [{ distillation: { teacher: 'a', kind: 'warm' } }, 'distillation.kind is "warm"; expected one of hard, soft'],
    [{ classes: [] }, 'classes is []; expected a list of names of classes, or null'],
    [{ sampler: { name: 'random' } }, 'sampler.name is "random"; expected one of shuffled, class-balanced'],
    [{ microBatchSize: 0 }, 'microBatchSize is 0; expected a whole number of at least 1, or null'],
    [{ gradScaler: { growthFactor: 1 } }, 'gradScaler.growthFactor is 1; expected a number above 1'],
    [{ ema: { decay: 2 } }, 'ema.decay is 2; expected a number from 0 to 1'],
    [{ transforms: 'none' }, "There are no transforms 'none'; expected one of article-fine-tune"],
    [{ transforms: { train: [] } }, "The recipe's transforms.evaluation is missing; expected a list of transforms"],
    [
      { transforms: { train: [{ name: 'blur', args: [] }], evaluation: [] } },
      "The recipe's transforms cannot be made: There is no transform 'blur'; expected one of augMix",
    ],
    [{ batchTransforms: ['mixUp'] }, 'batchTransforms is ["mixUp"]; expected a list of transforms, such as'],
    [{ batchTransforms: [{ name: 'mixUp', args: [{ alpha: 0 }] }] }, 'mixUp: alpha is 0; expected a number above 0.'],
  ])('%j is refused: %s', (change, message) => {
    expect(() => defineRecipe({ ...minimal, ...change } as RecipeOptions)).toThrow(message)
  })
})

test('transforms become their names and arguments, which JSON holds', () => {
  const recipe = defineRecipe({
    ...minimal,
    transforms: {
      train: [transforms.resize([32, 32]), transforms.randomHorizontalFlip(), transforms.toTensor()],
      evaluation: [transforms.toTensor()],
    },
    batchTransforms: [transforms.mixUp({ alpha: 0.2 })],
  })
  expect(recipe.transforms).toEqual({
    train: [
      { name: 'resize', args: transforms.resize([32, 32]).args },
      { name: 'randomHorizontalFlip', args: transforms.randomHorizontalFlip().args },
      { name: 'toTensor', args: [] },
    ],
    evaluation: [{ name: 'toTensor', args: [] }],
  })
  expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe)
  const made = recipeTransforms(recipe)
  expect(made.train.map(({ name }) => name)).toEqual(['resize', 'randomHorizontalFlip', 'toTensor'])
  expect(made.batches.map(({ name }) => name)).toEqual(['mixUp'])
  const set = overrideRecipe(defineRecipe(minimal), ['batchTransforms=[{"name":"cutMix","args":[]}]', 'ema.decay=0.99'])
  expect(set).toMatchObject({ batchTransforms: [{ name: 'cutMix', args: [] }], ema: { decay: 0.99 } })
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
      const text = await Bun.file(join(import.meta.dirname, '../recipes', `${name}.ts`)).text()
      for (const part of ['Source:', 'Expected:', 'Time:', `vitral train ${name} `]) expect(text).toContain(part)
    }
  })

  test("loadRecipe takes a user's file", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vitral-'))
    const path = join(folder, 'mine.ts')
    writeFileSync(path, `export default ${JSON.stringify(minimal)}`)
    expect(await loadRecipe(path)).toEqual(defineRecipe(minimal))
    const json = join(folder, 'mine.json')
    writeFileSync(json, JSON.stringify({ $schema: 'recipe.schema.json', ...minimal }))
    expect(await loadRecipe(json)).toEqual(defineRecipe(minimal))
    writeFileSync(json, '[1')
    await expect(loadRecipe(json)).rejects.toThrow('mine.json is no JSON')
    const empty = join(folder, 'empty.ts')
    writeFileSync(empty, 'export const recipe = 1')
    await expect(loadRecipe(empty)).rejects.toThrow('no default export that is a recipe')
    rmSync(folder, { recursive: true })
  })

  test('names what there is when there is no such recipe', async () => {
    await expect(loadRecipe('cifar10-mcro')).rejects.toThrow("no recipe 'cifar10-mcro'; expected one of cifar10-demo,")
    await expect(loadRecipe('./none.ts')).rejects.toThrow('There is no recipe file')
  })
})
