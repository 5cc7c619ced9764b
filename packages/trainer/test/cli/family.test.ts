/** The command on members of the family other than ViT: classes, features, evaluation, fine-tuning and export. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { png } from '../png.ts'

const fixtures = join(import.meta.dirname, '../../../core/test/fixtures/family')
const folder = mkdtempSync(join(tmpdir(), 'vitral-family-'))

const cpu = ['--backend', 'cpu'] as const

async function vitral(...args: string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), ...args], {
    cwd: folder,
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr, code: await child.exited }
}

const picture = (red: number, blue: number) => png(40, 36, (x, y) => [red, (x * 3 + y * 5) % 40, blue])

beforeAll(() => {
  for (const [name, bytes] of Object.entries({ red: picture(220, 30), blue: picture(30, 220) })) {
    mkdirSync(join(folder, 'photos', name), { recursive: true })
    for (let i = 0; i < 10; i++) writeFileSync(join(folder, 'photos', name, `${i}.png`), bytes)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

test('predict gives classes of classifiers, and features of models with and without one', async () => {
  const run = (name: string, ...args: string[]) =>
    vitral('predict', '--model', join(fixtures, name), '--json', ...args, ...cpu, 'photos/red/0.png')
  for (const name of ['dinov2', 'deit-distilled', 'beit', 'timm-deit3']) {
    const { stdout, stderr } = await run(name)
    expect({ stderr, count: JSON.parse(stdout)[0].predictions.length }).toEqual({ stderr: '', count: 5 })
  }
  for (const [name, size] of Object.entries({ 'clip-vision': 48, 'dinov3-gated': 48, dinov2: 96 }))
    expect(JSON.parse((await run(name, '--embed')).stdout)[0].features).toHaveLength(size)
  const { stderr, code } = await run('siglip-vision')
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('has no classifier') })
}, 120_000)

test('finetune trains DINOv2 for other classes, and its model is one of transformers', async () => {
  const { code, stderr } = await vitral(
    'finetune',
    join(fixtures, 'dinov2-registers'),
    'photos',
    '--epochs',
    '1',
    '--out',
    'run',
    ...cpu,
  )
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stderr).toContain('The classifier is newly initialized')
  const config = JSON.parse(readFileSync(join(folder, 'run/best/config.json'), 'utf8'))
  expect(config).toMatchObject({
    model_type: 'dinov2_with_registers',
    architectures: ['Dinov2WithRegistersForImageClassification'],
    id2label: { 0: 'blue', 1: 'red' },
  })
  const evaluated = await vitral(
    'eval',
    '--model',
    'run/best',
    '--dataset',
    'folder',
    '--data',
    'photos',
    '--split',
    'all',
    '--json',
    ...cpu,
  )
  expect(JSON.parse(evaluated.stdout).count).toBe(20)
}, 240_000)

test('export writes a bare model of another type as it was', async () => {
  const { stderr, code } = await vitral(
    'export',
    '--model',
    join(fixtures, 'dinov3'),
    '--out',
    'half',
    '--dtype',
    'float16',
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(readdirSync(join(folder, 'half')).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'preprocessor_config.json',
  ])
  expect(JSON.parse(readFileSync(join(folder, 'half/config.json'), 'utf8'))).toMatchObject({
    model_type: 'dinov3_vit',
    architectures: ['DINOv3ViTModel'],
    num_register_tokens: 4,
  })
}, 60_000)
