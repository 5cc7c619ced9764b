/** What a model folder with a flipped bit, or with weights that are NaN, makes of the commands that read it: one clear line. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { readSafetensors, writeSafetensors } from '@vitral/core/files'
import { flipBit } from '../flip-bit.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-damaged-'))
const data = join(folder, 'cifar-10-batches-bin')
const model = join(folder, 'model')
const notFinite = join(folder, 'not-finite')
const weights = join(model, 'model.safetensors')
const image = join(import.meta.dirname, '../fixtures/cat.png')
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(async () => {
  writeTinyCifar(folder)
  await useBackend('cpu')
  const size = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 32, patchSize: 8 }
  const tiny = new ViTForImageClassification({ ...size, intermediateSize: 16, numLabels: 10 })
  await tiny.savePretrained(model)
  await tiny.savePretrained(notFinite)
  tiny.dispose()
  for (const each of [model, notFinite])
    await new ViTImageProcessor({ size: { height: 32, width: 32 } }).savePretrained(each)
  flipBit(weights)
  const path = join(notFinite, 'model.safetensors')
  const { tensors } = await readSafetensors(path)
  ;(tensors.get('vit.layernorm.weight') as { data: Float32Array }).data[3] = Number.NaN
  await writeSafetensors(path, tensors)
})

const commands = [
  ['predict', '--model', 'MODEL', image, '--backend', 'cpu'],
  ['predict', '--embed', '--model', 'MODEL', image, '--backend', 'cpu'],
  ['eval', '--model', 'MODEL', '--dataset', 'cifar10', '--data', data, '--backend', 'cpu'],
  ['export', '--model', 'MODEL', '--out', join(folder, 'out')],
  ['bench', '--model', 'MODEL', '--backend', 'cpu'],
  [
    ...['train', 'cifar10-finetune', '--data', data, '--backend', 'cpu', '--out', join(folder, 'out')],
    ...['--set', 'model.pretrained="MODEL"'],
  ],
] as const

const damages = [
  [model, `${weights} is damaged: its content does not match its checksum.`],
  [
    notFinite,
    `${notFinite} holds weights that are no finite numbers; its weights are damaged: value 3 of 'vit.layernorm.weight' is NaN. Copy or download them again, or take an earlier checkpoint.`,
  ],
] as const

test.each(
  damages.flatMap(([at, message]) =>
    commands.map(([command, ...args]) => ({ command, args: args.map(arg => arg.replace('MODEL', at)), message })),
  ),
)('vitral $command $args', async ({ command, args, message }) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), command, ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect({ stdout, stderr, code: await child.exited }).toEqual({
    stdout: '',
    stderr: `vitral ${command}: ${message}\n`,
    code: 1,
  })
  expect(existsSync(join(folder, 'out'))).toBe(false)
})
