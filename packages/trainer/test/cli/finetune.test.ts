/** `vitral finetune` as a real process: from a model and a folder of images to a model that knows them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { png } from '../png.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-finetune-'))
const colours: Record<string, [number, number, number]> = { blue: [30, 30, 220], red: [220, 30, 30] }

async function vitral(...args: string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), ...args], {
    ...{ cwd: folder, stdout: 'pipe', stderr: 'pipe' },
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr, code }
}

beforeAll(async () => {
  await useBackend('cpu')
  const model = new ViTForImageClassification({
    ...{ imageSize: 8, patchSize: 4, hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 },
    id2label: { 0: 'a', 1: 'b', 2: 'c' },
  })
  await model.savePretrained(join(folder, 'base'))
  model.dispose()
  await new ViTImageProcessor({ size: { height: 8, width: 8 } }).savePretrained(join(folder, 'base'))
  for (const [name, colour] of Object.entries(colours)) {
    mkdirSync(join(folder, 'photos', name), { recursive: true })
    for (let i = 0; i < 20; i++)
      writeFileSync(
        join(folder, 'photos', name, `${i}.png`),
        png(12, 10, (x, y) => colour.map(value => value + ((i * 7 + x * 5 + y * 3) % 30)) as [number, number, number]),
      )
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

const cpu = ['--backend', 'cpu'] as const

describe('vitral finetune', () => {
  test('finetune trains, evaluates and saves, says how to go on, and its model recognises the images', async () => {
    const { stdout, stderr, code } = await vitral('finetune', 'base', 'photos', ...cpu, '--epochs', '6')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toContain('vitral predict --model runs/finetune-photos/best IMAGE')
    expect(stderr).toContain('8×8 pixels, learning rate 0.0002')
    expect(stderr).not.toContain('top-5')
    const run = join(folder, 'runs/finetune-photos')
    for (const name of ['best', 'last']) {
      const model = await ViTForImageClassification.fromPretrained(join(run, name))
      expect(Object.values(model.config.id2label)).toEqual(['blue', 'red'])
      model.dispose()
    }
    const page = readFileSync(join(run, 'report.html'), 'utf8')
    expect(page).toMatch(/<code>photos\/(red|blue)\/\d+\.png<\/code>/)
    expect(page).not.toContain('Top 5')
    const predicted = await vitral('predict', '--model', join(run, 'best'), 'photos/red/0.png', ...cpu, '--json')
    expect(predicted.code).toBe(0)
    const refused = await vitral('finetune', 'base', 'photos', ...cpu)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('already holds a training run; add --resume')
  }, 120_000)

  test('finetune tunes a part, in several processes, and goes on for more epochs', async () => {
    const args = [
      'finetune',
      'base',
      'photos',
      '--out',
      'lora',
      '--tune',
      'lora',
      '--set',
      'fineTune.lora.rank=2',
      ...cpu,
    ]
    const { stderr, code } = await vitral(...args, '--epochs', '1', '--nproc', '2')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stderr).toContain('2 processes')
    expect(existsSync(join(folder, 'lora/adapters/adapter_config.json'))).toBe(true)
    const more = await vitral(...args, '--epochs', '2', '--resume', '--json')
    expect(JSON.parse(more.stdout)).toMatchObject({ out: 'lora', finished: true, epochs: 2 })
    expect(more.stderr).toContain(
      'The run goes on to 2 epochs instead of 1: its schedule, cosine, has 4 steps instead of 2',
    )
  }, 120_000)

  test.each([
    [['finetune'], 'The model, which comes before the folder of images, is missing.'],
    [['finetune', 'base'], 'The folder of images, which comes after the model, is missing.'],
    [['finetune', 'base', 'none'], 'none does not exist'],
    [['finetune', 'base', 'photos', 'more'], "Unexpected argument 'more'; expected MODEL FOLDER"],
    [['finetune', 'base', 'photos', '--tune', 'tail'], "--tune is 'tail'; expected one of all, head, lora."],
    [['finetune', 'base', 'photos', '--augment', 'x'], "--augment is 'x'; expected one of none, light, strong."],
    [['finetune', 'photos', 'photos'], 'config.json'],
  ])('%j is refused in one line', async (args, message) => {
    const { stderr, code } = await vitral(...args)
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(message)
  })
})
