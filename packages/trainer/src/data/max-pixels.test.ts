/** The limit on an image's pixels, which an error names, can be set wherever images are read. */
import { afterAll, beforeAll, expect, spyOn, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { encodePicture } from '@vitral/datasets/inspect'
import type { Command } from '../cli/command.ts'
import { data } from '../cli/data.ts'
import { evalCommand } from '../cli/eval.ts'
import { lrFindCommand } from '../cli/lr-find.ts'
import { sweepCommand } from '../cli/sweep.ts'
import { train } from '../cli/train/train.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-pixels-'))
const images = join(folder, 'images')
const model = join(folder, 'model')
const recipe = join(folder, 'recipe.ts')
const config = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16, imageSize: 16 }

beforeAll(async () => {
  await useBackend('cpu')
  for (const [c, name] of ['cat', 'dog'].entries()) {
    mkdirSync(join(images, name), { recursive: true })
    for (let n = 0; n < 10; n++) {
      const picture = { data: new Uint8Array(1200).fill(c * 99 + n), width: 20, height: 20, channels: 3 }
      writeFileSync(join(images, name, `${n}.png`), (await encodePicture(picture)).bytes)
    }
  }
  const tiny = new ViTForImageClassification({ ...config, patchSize: 8, id2label: { 0: 'cat', 1: 'dog' } })
  await tiny.savePretrained(model)
  await new ViTImageProcessor({ size: { height: 16, width: 16 } }).savePretrained(model)
  const prepare = [
    { name: 'resize', args: [[16, 16]] },
    { name: 'toTensor', args: [] },
  ]
  const fields = {
    model: { config: { ...config, patchSize: 8 } },
    ...{ dataset: 'folder', batchSize: 4, epochs: 1, transforms: { train: prepare, evaluation: prepare } },
    optimizer: { name: 'adamw', lr: 1e-3 },
  }
  writeFileSync(recipe, `export default ${JSON.stringify(fields)}`)
})
afterAll(() => rmSync(folder, { recursive: true }))

const out = (name: string): string[] => ['--out', join(folder, name)]

const commands: [string, Command, (limit: string) => string[]][] = [
  ['eval', evalCommand, () => ['--model', model, '--dataset', 'folder', '--data', images]],
  ['train', train, limit => [recipe, '--data', images, ...out(`train-${limit}`)]],
  ['lr-find', lrFindCommand, () => [recipe, '--data', images, '--steps', '10']],
]

/** Runs a command in this process, and returns what it printed. */
async function printed(command: Command, args: string[]): Promise<string> {
  const written: string[] = []
  const out = spyOn(process.stdout, 'write').mockImplementation(text => written.push(String(text)) > 0)
  const err = spyOn(process.stderr, 'write').mockImplementation(text => written.push(String(text)) > 0)
  const log = spyOn(console, 'error').mockImplementation(text => void written.push(String(text)))
  try {
    await command.run([...args, ...(command === data ? [] : ['--backend', 'cpu']), '--json'])
  } catch (error) {
    written.push((error as Error).message)
  } finally {
    for (const spy of [out, err, log]) spy.mockRestore()
  }
  return written.join('')
}

test.each(commands)(
  'vitral %s refuses larger images, and takes them where the limit is raised',
  async (_, command, args) => {
    const refused = await printed(command, [...args('399'), '--max-pixels', '399'])
    expect(refused).toMatch(/it has 20×20 pixels, more than (--max-pixels|maxPixels), 399; raise it if that is meant\./)
    expect(await printed(command, [...args('400'), '--max-pixels', '400'])).not.toContain('cannot be decoded')
  },
)

test('vitral sweep tells it of each trial, and vitral data inspect of each image', async () => {
  const grid = ['--grid', 'epochs=1', ...out('sweep')]
  expect(await printed(sweepCommand, [recipe, '--data', images, '--max-pixels', '399', ...grid])).toContain(
    'more than maxPixels, 399',
  )
  const inspected = await printed(data, ['inspect', images, '--max-pixels', '399'])
  expect(JSON.parse(inspected).splits.flatMap(({ broken }: { broken: object[] }) => broken)).toHaveLength(20)
  expect(await printed(data, ['inspect', images, '--max-pixels', '400'])).not.toContain('maxPixels')
})
