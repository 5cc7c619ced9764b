/** The vitral command on images of one's own: folders, manifests, MNIST's files; broken images; classes by their names. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { png } from '../png.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-cli-data-'))
afterAll(() => rmSync(folder, { recursive: true }))

const colours = { red: [200, 30, 30], green: [30, 200, 30], blue: [30, 30, 200] } as const
const images = join(folder, 'images')
const lines: string[] = []
for (const [name, colour] of Object.entries(colours)) {
  mkdirSync(join(images, name), { recursive: true })
  for (let i = 0; i < 20; i++) {
    const [red, green, blue] = colour.map(value => value + i)
    writeFileSync(join(images, name, `${i}.png`), png(40, 36 + i, [red ?? 0, green ?? 0, blue ?? 0]))
    lines.push(`images/${name}/${i}.png,${name}\n`)
  }
}
const manifest = join(folder, 'images.csv')
writeFileSync(manifest, `path,label\n${lines.join('')}`)

/** The article's chain resizes any image to 224×224; one patch makes it quick. */
const tiny = [
  ...['train', 'cifar10-demo', '--backend', 'cpu', '--epochs', '1', '--batch-size', '12', '--lr', '0.01'],
  ...['--set', 'transforms=article-fine-tune', '--set', 'model.name=vit-micro-patch4-32'],
  ...['--set', 'model.config.imageSize=224', '--set', 'model.config.patchSize=112'],
  ...['--set', 'model.config.hiddenSize=12', '--set', 'model.config.numHiddenLayers=1', '--json'],
]

function vitral(...args: string[]): { stdout: string; stderr: string; code: number } {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), ...args],
    { cwd: folder },
  )
  return { stdout: stdout.toString(), stderr: stderr.toString(), code: exitCode }
}
const evaluate = (model: string, ...args: string[]) =>
  vitral('eval', '--model', model, '--backend', 'cpu', '--json', ...args)

describe('images of one’s own', () => {
  const best = join(folder, 'run', 'best')

  test('own images are trained on, and their classes named in the model', () => {
    const { stdout, stderr, code } = vitral(
      ...tiny,
      '--dataset',
      'folder',
      '--data',
      images,
      '--out',
      join(folder, 'run'),
    )
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ finished: true, epochs: 1, steps: 4 })
    expect(stderr).toContain('on 48 images')
    const { id2label } = JSON.parse(readFileSync(join(best, 'config.json'), 'utf8'))
    expect(id2label).toEqual({ 0: 'blue', 1: 'green', 2: 'red' })
  })

  test('eval takes all of a folder or list without splits, or the split that is asked for', () => {
    const whole = evaluate(best, '--dataset', 'folder', '--data', images)
    expect(whole.stderr).toBe('3 classes: blue, green, red\nImages: 60 in all\n')
    expect(JSON.parse(whole.stdout).count).toBe(60)
    expect(JSON.parse(evaluate(best, '--dataset', 'manifest', '--data', manifest).stdout).count).toBe(60)
    const held = ['--data', images, '--split', 'Test']
    const fromFolder = JSON.parse(evaluate(best, '--dataset', 'folder', ...held).stdout)
    expect(fromFolder.count).toBe(6)
    expect(fromFolder.perClass.map(({ label }: { label: string }) => label)).toEqual(['blue', 'green', 'red'])
    const { stderr, code } = evaluate(best, '--dataset', 'folder', '--data', images, '--split', 'mine')
    expect({ stderr, code }).toEqual({
      stderr: "vitral eval: --split is 'mine'; expected one of train, validation, test, all.\n",
      code: 1,
    })
  })

  test('own images may have some of the classes: they are matched by name', () => {
    const some = join(folder, 'some')
    for (const name of ['green', 'red']) {
      mkdirSync(join(some, 'test', name), { recursive: true })
      for (let i = 0; i < 3; i++)
        writeFileSync(join(some, 'test', name, `${i}.png`), readFileSync(join(images, name, `${i}.png`)))
    }
    const { perClass } = JSON.parse(evaluate(best, '--dataset', 'folder', '--data', some).stdout)
    expect(perClass.map(({ count }: { count: number }) => count)).toEqual([0, 3, 3])
    mkdirSync(join(some, 'test', 'white'))
    const { stderr, code } = evaluate(best, '--dataset', 'folder', '--data', some)
    expect({ stderr, code }).toEqual({
      stderr: expect.stringContaining("does not know 1 of the data's 3 classes: white. It knows 3: blue, green, red."),
      code: 1,
    })
    expect(evaluate(best, '--dataset', 'folder', '--data', some, '--by-position').code).toBe(0)
    expect(evaluate(best, '--dataset', 'folder', '--data', some, '--split', 'train').stderr).toBe(
      `vitral eval: ${some} has no train images; it has test.\n`,
    )
    mkdirSync(join(some, 'test', 'black'))
    expect(evaluate(best, '--dataset', 'folder', '--data', some, '--by-position').stderr).toMatch(
      /^vitral eval: --by-position takes .* but the data has 4 and .*best 3; expected as many\.\n$/m,
    )
  })

  test('broken images end a run by name, or are skipped and reported', () => {
    const path = join(images, 'red', '7.png')
    const whole = readFileSync(path)
    writeFileSync(path, whole.subarray(0, 50))
    const held = ['--dataset', 'manifest', '--data', manifest]
    writeFileSync(
      manifest,
      `path,label,split\nimages/red/7.png,red,test\nimages/red/8.png,red,test\nimages/blue/1.png,blue,\n`,
    )
    const { stderr, code } = evaluate(best, ...held)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^vitral eval: Example 0: .*red\/7\.png cannot be decoded: [^\n]+\n$/m)
    const skipped = evaluate(best, ...held, '--skip-broken')
    expect(skipped.stderr).toMatch(/^Left out: .*red\/7\.png cannot be decoded: [^\n]+\n$/m)
    expect(JSON.parse(skipped.stdout).count).toBe(1)
    writeFileSync(path, whole)
  })
})

test('there is nothing to download of one’s own images', () => {
  const { stderr, code } = evaluate('x', '--dataset', 'folder', '--data', images, '--download')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "vitral eval: The data set 'folder' is one's own images; there is nothing to download.\n",
  })
})

test.each([
  ['mnist', /has no MNIST\. Expected a folder/],
  ['fashion-mnist', /has no Fashion-MNIST\. Expected a folder/],
  ['cifar100', /has no CIFAR-100\. Expected a folder/],
  ['cifar100-coarse', /has no CIFAR-100\. Expected a folder/],
  ['manifest', /is no manifest by its name; expected a \.csv/],
  ['imagenet', /no data set 'imagenet'; expected one of cifar10, cifar100,/],
])('--dataset %s is known, or refused in one line', (dataset, message) => {
  const { stderr, code } = evaluate('x', '--dataset', dataset, '--data', images)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^vitral eval: [^\n]+\n$/)
  expect(stderr).toMatch(message)
})
