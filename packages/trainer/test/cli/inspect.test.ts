/** `vitral data inspect` as a real process: what it counts and finds, the sheet it draws, what it refuses. */
import { afterAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeImage } from '@vitral/datasets'
import { png } from '../png.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-cli-inspect-'))
afterAll(() => rmSync(folder, { recursive: true }))

const images = join(folder, 'images')
for (const split of ['train', 'val'])
  for (const [label, name] of ['cat', 'dog\n'].entries()) {
    const place = join(images, split, name)
    mkdirSync(place, { recursive: true })
    for (let i = 0; i < (split === 'train' ? 6 : 2); i++)
      writeFileSync(join(place, `${i}.png`), png(20 + i, 30 + label, [i * 40, label * 200, split === 'train' ? 0 : 99]))
  }
mkdirSync(join(images, 'train', 'emu'))
writeFileSync(join(images, 'train', 'cat', 'notes.txt'), 'x')
writeFileSync(
  join(images, 'train', 'cat', 'cut.png'),
  readFileSync(join(images, 'train', 'cat', '0.png')).subarray(0, 60),
)
symlinkSync('nowhere.png', join(images, 'train', 'cat', 'dangling.png'))
cpSync(join(images, 'train', 'cat', '3.png'), join(images, 'val', 'dog\n', 'leak.png'))

function vitral(...args: string[]): { stdout: string; stderr: string; code: number } {
  const command = [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), 'data', ...args]
  const { stdout, stderr, exitCode } = Bun.spawnSync(command, { cwd: folder })
  return { stdout: stdout.toString(), stderr: stderr.toString(), code: exitCode }
}

describe('a folder of images', () => {
  test('inspect reports a folder of images in JSON', () => {
    const { stdout, stderr, code } = vitral('inspect', images, '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { dataset, splits, duplicates, sheet } = JSON.parse(stdout)
    expect([dataset, sheet]).toEqual(['folder', undefined])
    const [train, validation] = splits
    expect(splits).toHaveLength(2)
    expect(train).toMatchObject({ name: 'train', count: 14, ignored: [join(images, 'train/cat/notes.txt')] })
    expect(train.classes).toEqual([
      { name: 'cat', count: 6 },
      { name: 'dog\n', count: 6 },
      { name: 'emu', count: 0 },
    ])
    expect(train.sizes).toHaveLength(12)
    expect(train.broken.map(({ example }: { example: string }) => example)).toEqual([
      join(images, 'train/cat/cut.png'),
      join(images, 'train/cat/dangling.png'),
    ])
    expect(validation).toMatchObject({ name: 'validation', count: 5, broken: [], ignored: [] })
    expect(duplicates).toEqual([
      [
        { example: join(images, 'train/cat/3.png'), split: 'train', label: 'cat' },
        { example: join(images, 'val/dog\n/leak.png'), split: 'validation', label: 'dog\n' },
      ],
    ])
  })

  test('inspect prints a folder of images for people, each fact on one line', () => {
    const { stdout } = vitral('inspect', images)
    expect(stdout).toStartWith(`${images}: folder, 19 images\n\ntrain: 14 images in 3 classes\n    cat    6  ███`)
    expect(stdout).toMatch(
      /\n {4}dog\\n {2}6 {2}█+\n {4}emu {4}0\n {2}sizes, by the shorter side\n {4}16 to 31 {2}12 {2}█+\n/,
    )
    expect(stdout).toContain('\nbroken: 2\n')
    expect(stdout).toMatch(/\n {2}.*cut\.png cannot be decoded: [^\n]+\n {2}.*dangling\.png does not exist/)
    expect(stdout).toContain('more than once (1 in more than one split, 1 with different labels): 1\n')
    expect(stdout).toContain(`\n    = ${images}/val/dog\\n/leak.png (validation, dog\\n)\n`)
  })

  test('inspect draws images as the model will see them', async () => {
    const out = join(folder, 'sheet.png')
    const { stdout, code } = vitral('inspect', images, '--out', out, '--rows', '3', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout).sheet).toEqual({ path: out, examples: expect.any(Array) })
    const { width, height } = await decodeImage(out)
    expect([width, height]).toEqual([160 + 8 * 232, 28 + 3 * 232])
  })
})

test('the sheet shows what a recipe makes of the images, at its model’s size, and how many are left out', async () => {
  const many = join(folder, 'many')
  mkdirSync(join(many, 'a'), { recursive: true })
  for (let i = 0; i < 82; i++) writeFileSync(join(many, 'a', `${i}.png`), png(24, 24, [i, 100, 200]))
  const out = join(folder, 'recipe.png')
  const set = ['--set', 'transforms=article-fine-tune', '--set', 'model.config.imageSize=48']
  const mixed = ['--set', 'batchTransforms=[{"name":"mixUp","args":[]}]', '--set', 'validation=test']
  const args = ['inspect', many, '--out', out, '--rows', '99', '--recipe', 'cifar10-micro', ...set, ...mixed]
  // A tenth of the 82 images is for validation, and a tenth for test: 66 are left.
  const { stdout, stderr, code } = vitral(...args)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(stdout).toContain('It has room for 64 images; 2 more that were asked for are left out.')
  const { width, height } = await decodeImage(out)
  expect([width, height]).toEqual([160 + 8 * 104, 28 + 64 * 104])
})

test('CIFAR-10 and manifests are known by what they look like', () => {
  const sample = join(import.meta.dirname, '../../../../examples/cifar10-sample')
  const cifar = JSON.parse(vitral('inspect', sample, '--json').stdout)
  expect(cifar.dataset).toBe('cifar10')
  expect(cifar.splits.map(({ name, count }: { name: string; count: number }) => [name, count])).toEqual([
    ['train', 1500],
    ['test', 300],
  ])
  const manifest = join(folder, 'list.jsonl')
  writeFileSync(manifest, '{"path":"images/train/cat/1.png","label":"cat"}\n')
  const listed = JSON.parse(vitral('inspect', manifest, '--json').stdout)
  expect([listed.dataset, listed.splits.length, listed.splits[0].count]).toEqual(['manifest', 1, 1])
})

test.each([
  [[], /What to do with data is missing\.$/],
  [['show'], /There is no command 'data show'; expected inspect\.$/],
  [['inspect'], /The path of the data set is missing\.$/],
  [['inspect', 'a', 'b'], /Unexpected argument 'b'; expected one path\.$/],
  [['inspect', 'nowhere'], /nowhere does not exist; expected a folder, or the file of a manifest\.$/],
  [['inspect', images, '--chain', 'fancy', '--out', 'x.png'], /There are no transforms 'fancy'; expected one of/],
  [['inspect', images, '--chain', 'cifar-32'], /--chain is for the contact sheet; expected --out FILE\.png, too\.$/],
  [
    ['inspect', images, '--recipe', 'cifar10-micro'],
    /--recipe is for the contact sheet; expected --out FILE\.png, too/,
  ],
  [
    ['inspect', images, '--out', 'x.png', '--set', 'seed=1'],
    /--set is for a field of a recipe; expected --recipe RECIPE/,
  ],
  [['inspect', images, '--out', 'x.png', '--recipe', 'nothing'], /There is no recipe 'nothing'; expected one of/],
  [
    ['inspect', images, '--out', 'x.png', '--recipe', 'cifar10-micro', '--chain', 'cifar-32'],
    /Both --recipe and --chain are given; expected one of them\.$/,
  ],
  [['inspect', images, '--out', 'x.jpg'], /--out is 'x\.jpg'; expected the name of a \.png to write\.$/],
  [['inspect', images, '--out', 'no/x.png'], /--out is 'no\/x\.png', but there is no folder no\.$/],
  [
    ['inspect', images, '--out', 'x.png', '--chain', 'cifar-32-flip'],
    /a resize or crop to a fixed size makes them equal\.$/,
  ],
  [['inspect', images, '--dataset', 'imagenet'], /There is no data set 'imagenet'; expected one of cifar10,/],
])('refuses %j in one line', (args, message) => {
  const { stdout, stderr, code } = vitral(...args)
  expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  expect(stderr).toMatch(/^vitral data: [^\n]+\n$/)
  expect(stderr.trimEnd()).toMatch(message)
})
