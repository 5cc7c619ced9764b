/** Image folders: torchvision's order, splits, and what stands in folders that is no image. */
import { describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { createLoader } from '../loader/loader.ts'
import { toTensor } from '../transforms/to-tensor.ts'
import { imageFolderOwnSplits, imageFolderSplits, openImageFolder } from './image-folder.ts'
import { countLeftOut } from './left-out.ts'

const image = join(import.meta.dir, '../../test/fixtures/decode/colour.png')

/** Makes files, images unless the name says otherwise. */
function folder(...paths: string[]): string {
  const root = temporaryFolder()
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (path.endsWith('/')) mkdirSync(join(root, path))
    else if (/\.(png|JPG|webp|jpg)$/.test(path)) cpSync(image, join(root, path))
    else writeFileSync(join(root, path), '')
  }
  return root
}

const open = async (root: string, split: 'train' | 'validation' | 'test') => {
  const { files, classes, ignored } = await openImageFolder(root, { split })
  const short = (path: string): string => path.slice(root.length + 1)
  return {
    classes,
    files: files.map(({ path, label }) => `${label} ${short(path)}`),
    ignored: ignored.map(short),
  }
}

describe('train and test folders', () => {
  const root = folder(
    ...[
      'train/dog/2.png',
      'train/dog/10.JPG',
      'train/cat/b/1.png',
      'train/cat/b-c/0.png',
      'train/cat/b/x/7.png',
      'train/cat/z.png',
    ],
    ...['test/dog/9.png', 'train/cat/notes.txt', 'train/cat/.hidden.png', 'train/cat/Thumbs.db', 'train/.git/x.png'],
  )
  test("images of train and test folders are in torchvision's order: by path, then by name", async () => {
    expect(await open(root, 'train')).toEqual({
      classes: ['cat', 'dog'],
      // '-' < '/': paths of folders are compared whole, not part by part.
      files: [
        ...['0 train/cat/z.png', '0 train/cat/b/1.png', '0 train/cat/b-c/0.png', '0 train/cat/b/x/7.png'],
        ...['1 train/dog/10.JPG', '1 train/dog/2.png'],
      ],
      ignored: ['train/.git', 'train/cat/.hidden.png', 'train/cat/Thumbs.db', 'train/cat/notes.txt'],
    })
  })
  test('train and test folders have the classes of training in every split', async () => {
    expect(await open(root, 'test')).toEqual({ classes: ['cat', 'dog'], files: ['1 test/dog/9.png'], ignored: [] })
  })
  test('stand in for a validation folder that is not there', async () => {
    expect((await open(root, 'validation')).files).toEqual(['1 test/dog/9.png'])
    expect((await open(folder('train/a/1.png', 'val/a/2.png'), 'test')).files).toEqual(['0 val/a/2.png'])
  })
  test('a test folder with a class that training lacks is refused', async () => {
    const other = folder('train/a/1.png', 'train/b/1.png', 'val/c/1.png')
    await expect(open(other, 'validation')).rejects.toThrow(
      `${join(other, 'val/c')} is of a class that training does not have; its 2 are a, b.`,
    )
  })
  test('a test folder is enough without training', async () => {
    const held = folder('test/a/1.png', 'test/b/1.png')
    expect((await open(held, 'test')).files).toEqual(['0 test/a/1.png', '1 test/b/1.png'])
    await expect(open(held, 'train')).rejects.toThrow(`${held} has a folder test, but none named train.`)
  })
})

test('decodes', async () => {
  const dataset = await openImageFolder(folder('a/1.png', 'b/1.png'), { split: 'train' })
  const { image: pixels, label } = await dataset.get(1)
  expect([label, pixels.width, pixels.height, pixels.channels]).toEqual([1, 16, 12, 3])
})

describe('one folder of classes', () => {
  const names = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}/${i}.png`)
  const root = folder(...names('many', 40), ...names('few', 3), ...names('one', 1))
  const parts = (seed: number, fractions = { validation: 0.1, test: 0.25 }) =>
    Promise.all(
      (['train', 'validation', 'test'] as const).map(split => openImageFolder(root, { split, seed, fractions })),
    )

  test('a folder of classes is divided by class, each image into one part', async () => {
    const [train, validation, test] = await parts(0)
    const count = (label: number) =>
      [train, validation, test].map(part => part?.files.filter(f => f.label === label).length)
    expect(train?.classes).toEqual(['few', 'many', 'one'])
    expect([count(0), count(1), count(2)]).toEqual([
      [1, 1, 1],
      [26, 4, 10],
      [1, 0, 0],
    ])
    const paths = [train, validation, test].flatMap(part => part?.files.map(({ path }) => path) ?? [])
    expect(new Set(paths).size).toBe(44)
  })
  test('a folder of classes is divided in the same way by the same seed alone', async () => {
    const [first, again, other] = [(await parts(5))[2], (await parts(5))[2], (await parts(6))[2]]
    expect(first?.files).toEqual(again?.files as never)
    expect(first?.files).not.toEqual(other?.files as never)
  })
  test('a folder of classes has one part for validation and test when the fraction of one of them is 0', async () => {
    const [, validation, test] = await parts(0, { validation: 0.2, test: 0 })
    expect(test?.files).toEqual(validation?.files as never)
    await expect(parts(0, { validation: 0.5, test: 0.5 })).rejects.toThrow(
      'expected shares from 0 whose sum is below 1',
    )
  })
  test('a folder of classes stays divided when images and classes are added, and wherever it lies', async () => {
    const short = ({ files }: Awaited<ReturnType<typeof openImageFolder>>, of = root): string[] =>
      files.flatMap(({ path }) => (path.includes('/many/') ? [path.slice(of.length + 1)] : []))
    const before = (await parts(0)).map(part => short(part))
    const elsewhere = folder(...names('an earlier class', 5), ...names('few', 3), ...names('many', 40))
    const open = (of: string) =>
      Promise.all(
        (['train', 'validation', 'test'] as const).map(async split =>
          short(await openImageFolder(of, { split, fractions: { validation: 0.1, test: 0.25 } }), of),
        ),
      )
    expect(await open(elsewhere)).toEqual(before)
    for (const name of ['-1', '17b', '99']) {
      const more = folder(...names('many', 40), `many/${name}.png`)
      const [train, validation, test] = (await open(more)) as [string[], string[], string[]]
      expect([train.length, validation.length, test.length]).toEqual([27, 4, 10])
      expect(train.filter(path => before[2]?.includes(path))).toEqual([])
      expect(train.filter(path => before[0]?.includes(path)).length).toBeGreaterThanOrEqual(25)
      expect(test.filter(path => before[2]?.includes(path)).length).toBeGreaterThanOrEqual(9)
    }
  })
  test('a folder of classes keeps a class without images', async () => {
    expect((await open(folder('a/1.png', 'empty/'), 'train')).classes).toEqual(['a', 'empty'])
  })
})

describe('names of splits', () => {
  test('names of splits are classes when their folders hold images, beside other classes', async () => {
    const root = folder('bus/1.png', 'car/1.png', 'train/1.png', 'train/2.png', 'train/3.png')
    expect((await open(root, 'train')).classes).toEqual(['bus', 'car', 'train'])
    expect(await imageFolderSplits(root)).toEqual(['train', 'validation', 'test'])
  })
  test('names of splits are asked about when their folders hold folders, beside one with images', async () => {
    const root = folder('bus/1.png', 'train/a/1.png')
    await expect(open(root, 'train')).rejects.toThrow(
      `${root} has the folder train, which holds folders as a split of a data set does, beside bus, which holds images`,
    )
  })
  test('names of splits without other folders stay splits, and have to hold classes', async () => {
    await expect(open(folder('train/1.png', 'test/1.png'), 'train')).rejects.toThrow('train has no folders, which')
  })
})

test('openImageFolder lists images and folders that are in no class', async () => {
  const split = folder('train/a/1.png', 'val/a/2.png', 'more/b/3.png', '0.jpg', 'train/stray.png', 'read.me')
  expect((await open(split, 'train')).ignored).toEqual(['0.jpg', 'more', 'train/stray.png'])
  const flat = folder('a/1.png', 'b/2.png', '0.jpg', 'read.me')
  expect((await open(flat, 'train')).ignored).toEqual(['0.jpg'])
})

test('knows the rarer names of JPEG files, BMP and Netpbm', async () => {
  const root = folder('a/1.jfif', 'a/2.JPE', 'a/3.bmp', 'a/4.PPM', 'a/5.heic')
  const { files, ignored } = await openImageFolder(root, { split: 'train', fractions: { validation: 0, test: 0 } })
  expect(files.map(({ path }) => path.slice(root.length + 1))).toEqual(['a/1.jfif', 'a/2.JPE', 'a/3.bmp', 'a/4.PPM'])
  expect(ignored).toEqual([join(root, 'a/5.heic')])
})

test('countLeftOut counts by reason, each file once', async () => {
  const root = folder('train/a/1.png', 'test/a/2.png', 'train/a/1.heic', 'test/a/2.heic', 'train/a/.x.png', '0.jpg')
  const splits = await Promise.all((['train', 'test'] as const).map(split => openImageFolder(root, { split })))
  expect(countLeftOut(splits.flatMap(({ leftOut = [] }) => leftOut))).toEqual([
    { reason: 'no images that are read, by their extension .heic', count: 2, first: join(root, 'train/a/1.heic') },
    { reason: 'images in no folder of a class', count: 1, first: join(root, '0.jpg') },
    { reason: 'hidden, or left there by a system', count: 1, first: join(root, 'train/a/.x.png') },
  ])
})

describe('names of splits', () => {
  test.each([
    ['Training', 'Testing', 'test'],
    ['TRAIN', 'Test', 'test'],
    ['train', 'eval', 'test'],
    ['train', 'Evaluation', 'test'],
    ['train', 'holdout', 'test'],
    ['Train', 'Valid', 'validation'],
    ['train', 'dev', 'validation'],
  ] as const)('%s and %s', async (train, held, split) => {
    const root = folder(`${train}/a/1.png`, `${train}/b/1.png`, `${held}/a/2.png`, `${held}/b/2.png`)
    expect(await imageFolderSplits(root)).toEqual(['train', split])
    expect(await open(root, 'train')).toMatchObject({
      classes: ['a', 'b'],
      files: [`0 ${train}/a/1.png`, `1 ${train}/b/1.png`],
    })
    expect((await open(root, split)).files).toEqual([`0 ${held}/a/2.png`, `1 ${held}/b/2.png`])
  })
  test('names that mean the same split are refused together', async () => {
    const root = folder('train/a/1.png', 'Training/a/2.png', 'test/a/3.png')
    await expect(open(root, 'train')).rejects.toThrow(
      `${root} has the folders Training and train, which both name its train images; expected one of them`,
    )
  })
  test('names of splits are those of classes where they hold images', async () => {
    expect((await open(folder('Test/1.png', 'Control/1.png'), 'train')).classes).toEqual(['Control', 'Test'])
    await expect(open(folder('Training/a/1.png', 'cat/1.png'), 'train')).rejects.toThrow(
      'has the folder Training, which holds folders as a split of a data set does, beside cat, which holds images',
    )
  })
})

test("'all' is every image, of all splits or of a folder in one piece", async () => {
  const opened = async (root: string) => (await openImageFolder(root, { split: 'all' })).files.length
  const root = folder('train/a/1.png', 'Testing/a/2.png', 'dev/a/3.png')
  expect(await opened(root)).toBe(3)
  expect(await imageFolderOwnSplits(root)).toEqual(['train', 'validation', 'test'])
  const flat = folder(...Array.from({ length: 20 }, (_, i) => `a/${i}.png`))
  expect(await opened(flat)).toBe(20)
  expect(await imageFolderOwnSplits(flat)).toEqual([])
})

test('imageFolderSplits tells which splits there are', async () => {
  expect(await imageFolderSplits(folder('train/a/1.png', 'val/a/1.png'))).toEqual(['train', 'validation'])
  expect(await imageFolderSplits(folder('test/a/1.png'))).toEqual(['test'])
  expect(await imageFolderSplits(folder('train/a/1.png', 'train/a/2.png'))).toEqual(['train', 'validation'])
  expect(await imageFolderSplits(folder('a/1.png', 'a/2.png', 'a/3.png'))).toEqual(['train', 'validation', 'test'])
})

describe('refuses', () => {
  test('no folder, a file, another split', async () => {
    await expect(open('/nowhere/at/all', 'train')).rejects.toThrow('/nowhere/at/all does not exist; expected a folder')
    await expect(open(image, 'train')).rejects.toThrow(`${image} is a file; expected a folder of images.`)
    await expect(open(dirname(image), 'any' as 'train')).rejects.toThrow(
      "split is 'any'; expected one of train, validation, test, all.",
    )
  })
  test('images without folders', async () => {
    const root = folder('1.png', 'readme.md')
    await expect(open(root, 'train')).rejects.toThrow(
      `${root} has no folders, which would be its classes, but 1 images and 1 other files; expected ${root}/CLASS/IMAGE.jpg.`,
    )
  })
  test('folders without images', async () => {
    await expect(open(folder('a/1.txt', 'b/'), 'train')).rejects.toThrow(
      'has no image for train: 0 images in 2 classes, 1 files ignored.',
    )
  })
})

describe('names and links', () => {
  test('names of every kind are kept as they are, sorted by code points', async () => {
    const names = ['Zebra', 'apfel', 'é', 'e\u0301', '\uff5e', '😀', '-dash', 'a\nb', 'x'.repeat(200)]
    const { classes } = await open(folder(...names.map(name => `${name}/1.png`)), 'train')
    expect(classes).toEqual(['-dash', 'Zebra', 'a\nb', 'apfel', 'e\u0301', 'x'.repeat(200), 'é', '\uff5e', '😀'])
  })
  test('names of one class in two Unicode forms are one class, unless both are classes of training', async () => {
    const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301']
    const root = folder(`train/${composed}/1.png`, 'train/tea/1.png', `val/${decomposed}/2.png`, 'val/tea/2.png')
    expect(await open(root, 'validation')).toMatchObject({
      classes: [composed, 'tea'],
      files: [`0 val/${decomposed}/2.png`, '1 val/tea/2.png'],
    })
    const both = folder(`train/${composed}/1.png`, `train/${decomposed}/1.png`, 'train/tea/1.png')
    expect((await open(both, 'train')).classes).toHaveLength(3)
  })
  test('names that are not UTF-8 are read, by workers too', async () => {
    const root = folder('a/1.png', 'b/2.png')
    const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
    mkdirSync(Buffer.concat([bytes(`${root}/cl`), Buffer.of(0xe9)]))
    cpSync(image, join(root, 'whole.png'))
    renameSync(
      join(root, 'whole.png'),
      Buffer.concat([bytes(`${root}/cl`), Buffer.of(0xe9), bytes('/caf'), Buffer.of(0xe9, 0xff), bytes('.png')]),
    )
    const dataset = await openImageFolder(root, { split: 'all' })
    expect(dataset.classes).toEqual(['a', 'b', 'cl\udce9'])
    expect(dataset.files.at(-1)?.path).toBe(`${root}/cl\udce9/caf\udce9\udcff.png`)
    const loader = createLoader(dataset, { transforms: [toTensor()], batchSize: 3, workers: 1 })
    for await (const { labels } of loader.batches()) expect([...labels]).toEqual([0, 1, 2])
    await loader.close()
  })
  test('links in a circle end, to a folder are followed, to nothing are broken images', async () => {
    const root = folder('a/1.png', 'b/2.png')
    const elsewhere = folder('3.png')
    symlinkSync('..', join(root, 'a/up'))
    symlinkSync(elsewhere, join(root, 'b/more'))
    symlinkSync('nowhere.png', join(root, 'b/dangling.png'))
    const dataset = await openImageFolder(root, { split: 'train', fractions: { validation: 0, test: 0 } })
    const short = dataset.files.map(({ path }) => path.slice(root.length + 1))
    expect(short).toEqual(['a/1.png', 'b/2.png', 'b/dangling.png', 'b/more/3.png'])
    await expect(dataset.get(2)).rejects.toThrow('b/dangling.png does not exist')
  })
})
