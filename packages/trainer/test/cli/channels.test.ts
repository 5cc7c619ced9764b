/** The vitral command with models of one channel, and with an evaluation that crops: trained, measured, exported, used. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { png } from '../png.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-cli-channels-'))
afterAll(() => rmSync(folder, { recursive: true }))

const images = join(folder, 'images')
for (const [name, light] of Object.entries({ dark: 40, light: 180 })) {
  mkdirSync(join(images, name), { recursive: true })
  for (let i = 0; i < 12; i++) writeFileSync(join(images, name, `${i}.png`), png(20, 18 + i, [light + i, light, light]))
}

function vitral(...args: string[]): { stdout: string; stderr: string; code: number } {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), ...args],
    { cwd: folder },
  )
  return { stdout: stdout.toString(), stderr: stderr.toString(), code: exitCode }
}

/** Trains on the folder with a recipe of these transforms, the same for training and evaluation. */
function train(name: string, numChannels: number, transforms: readonly object[]) {
  const recipe = {
    model: {
      config: {
        ...{
          hiddenSize: 12,
          numHiddenLayers: 1,
          numAttentionHeads: 2,
          intermediateSize: 24,
          imageSize: 16,
          patchSize: 8,
        },
        numChannels,
      },
    },
    ...{ dataset: 'folder', batchSize: 8, epochs: 1, optimizer: { name: 'adamw', lr: 0.01 } },
    transforms: { train: transforms, evaluation: transforms },
  }
  const index = join(import.meta.dirname, '../../src/index.ts')
  const text = `import { defineRecipe } from ${JSON.stringify(index)}\nexport default defineRecipe(${JSON.stringify(recipe)} as never)\n`
  writeFileSync(join(folder, `${name}.ts`), text)
  return vitral('train', `${name}.ts`, '--backend', 'cpu', '--data', images, '--out', name)
}
const step = (name: string, ...args: unknown[]) => ({ name, args })
const processorOf = (model: string) =>
  JSON.parse(readFileSync(join(folder, model, 'preprocessor_config.json'), 'utf8')) as Record<string, unknown>
const predict = (model: string) => {
  const { stdout, stderr, code } = vitral(
    'predict',
    '--model',
    model,
    '--backend',
    'cpu',
    '--json',
    'images/light/3.png',
  )
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('a model of one channel', () => {
  const grey = [step('grayscale'), step('resize', [16, 16]), step('toTensor'), step('normalize', [0.5], [0.25])]

  test('a model of one channel is trained, evaluated, exported and used', () => {
    const { stderr, code } = train('grey', 1, grey)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(processorOf('grey/best')).toMatchObject({
      ...{ image_processor_type: 'ViTImageProcessor', image_mean: [0.5], image_std: [0.25] },
    })
    const measured = vitral(
      'eval',
      '--model',
      'grey/best',
      '--backend',
      'cpu',
      '--dataset',
      'folder',
      '--data',
      images,
      '--json',
    )
    expect({ code: measured.code, stderr: measured.code === 0 ? '' : measured.stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(measured.stdout).count).toBeGreaterThan(0)
    expect(vitral('export', '--model', 'grey/best', '--out', 'exported').code).toBe(0)
    expect(processorOf('exported')).toEqual(processorOf('grey/best'))
    expect(predict('exported')).toBe(predict('grey/best'))
  }, 60_000)

  test('a model of one channel is not trained on colours: the error says how to make them grey', () => {
    const { stderr, code } = train(
      'colour',
      1,
      [step('resize', [16, 16]), step('toTensor')].concat(step('normalize', [0, 0, 0], [1, 1, 1])),
    )
    expect(code).toBe(1)
    expect(stderr).toContain(
      "make images of 3 channels, but the model's numChannels is 1; begin them with grayscale() and give normalize one mean",
    )
  }, 60_000)
})

describe('an evaluation with a centre crop', () => {
  const cropped = [
    step('resize', 18),
    step('centerCrop', 16),
    step('toTensor'),
    step('normalize', [0.4, 0.5, 0.6], [0.2, 0.3, 0.1]),
  ]

  test('a centre crop in evaluation is what the model is saved, evaluated and used with', () => {
    const { stderr, code } = train('crop', 3, cropped)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(processorOf('crop/best')).toMatchObject({
      ...{ size: { shortest_edge: 18 }, do_center_crop: true, crop_size: { height: 16, width: 16 }, resample: 2 },
    })
    const options = ['--backend', 'cpu', '--dataset', 'folder', '--data', images, '--json']
    for (const tta of [[], ['--tta', 'five-crop']]) {
      const measured = vitral('eval', '--model', 'crop/best', ...options, ...tta)
      expect({ code: measured.code, stderr: measured.code === 0 ? '' : measured.stderr }).toEqual({
        code: 0,
        stderr: '',
      })
    }
    expect(JSON.parse(predict('crop/best'))[0].predictions).toHaveLength(2)
  }, 60_000)
})
