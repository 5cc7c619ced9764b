/** What a model folder with one flipped bit makes of the commands that read it: one line that names the file. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { flipBit } from '../../test/flip-bit.ts'
import { writeTinyCifar } from '../../test/tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-damaged-'))
const data = join(folder, 'cifar-10-batches-bin')
const model = join(folder, 'model')
const weights = join(model, 'model.safetensors')
const image = join(import.meta.dirname, '../../test/fixtures/cat.png')
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(async () => {
  writeTinyCifar(folder)
  await useBackend('cpu')
  const size = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, imageSize: 32, patchSize: 8 }
  const tiny = new ViTForImageClassification({ ...size, intermediateSize: 16, numLabels: 10 })
  await tiny.savePretrained(model)
  tiny.dispose()
  await new ViTImageProcessor({ size: { height: 32, width: 32 } }).savePretrained(model)
  flipBit(weights)
})

test.each([
  ['predict', '--model', model, image, '--backend', 'cpu'],
  ['eval', '--model', model, '--dataset', 'cifar10', '--data', data, '--backend', 'cpu'],
  ['export', '--model', model, '--out', join(folder, 'out')],
  ['bench', '--model', model, '--backend', 'cpu'],
  [
    ...['train', 'cifar10-finetune', '--data', data, '--backend', 'cpu', '--out', join(folder, 'out')],
    ...['--set', `model.pretrained=${JSON.stringify(model)}`],
  ],
])('vitral %s', async (command, ...args) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, 'index.ts'), command, ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect({ stdout, stderr, code: await child.exited }).toEqual({
    stdout: '',
    stderr: `vitral ${command}: ${weights} is damaged: its content does not match its checksum.\n`,
    code: 1,
  })
  expect(existsSync(join(folder, 'out'))).toBe(false)
})
