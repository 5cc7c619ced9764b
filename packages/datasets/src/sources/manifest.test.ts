/** Lists of images: quoting, labels, splits, and what is wrong in a line. */
import { describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { manifestSplits, openManifest } from './manifest.ts'

const fixture = join(import.meta.dir, '../../test/fixtures/decode/colour.png')
const folder = temporaryFolder()
mkdirSync(join(folder, 'images'))
cpSync(fixture, join(folder, 'images/1, "one".png'))

const manifest = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const all = { split: 'train', fractions: { validation: 0, test: 0 } } as const

test('openManifest reads CSV with quotes, a byte order mark, other columns, empty lines and Windows line ends', async () => {
  const text = '\ufeffid,path,label\r\n7,"images/1, ""one"".png",cat\r\n\r\n8,/else/where.png,"two\nlines"\r\n'
  const dataset = await openManifest(manifest('a.csv', text), all)
  expect(dataset.classes).toEqual(['cat', 'two\nlines'])
  expect(dataset.files).toEqual([
    { path: join(folder, 'images/1, "one".png'), label: 0 },
    { path: '/else/where.png', label: 1 },
  ])
  expect((await dataset.get(0)).image.width).toBe(16)
  await expect(dataset.get(1)).rejects.toThrow('/else/where.png does not exist')
})

test('openManifest reads tabs and JSON lines', async () => {
  const tabs = await openManifest(manifest('a.tsv', 'path\tlabel\nx,1.png\tcat\n'), all)
  const lines = await openManifest(manifest('a.jsonl', '{"path":"x,1.png","label":"cat"}\n\n'), all)
  expect(lines.files).toEqual(tabs.files)
  expect(tabs.files[0]?.path).toBe(join(folder, 'x,1.png'))
})

test('spaces around fields make no other class', async () => {
  const expected = [0, 1, 0].map((label, i) => ({ path: join(folder, `${i}.png`), label }))
  for (const [name, text] of [
    ['w.csv', 'path, label , split\n0.png,cat,train\n1.png, dog , train\n 2.png," cat", train\n'],
    ['w.tsv', 'path\tlabel \n0.png\tcat\n1.png\tdog \n2.png\t cat\n'],
    ['w.jsonl', '{"path":"0.png","label":"cat"}\n{"path":"1.png","label":"dog"}\n{"path":"2.png","label":" cat"}'],
  ] as const) {
    const { classes, files } = await openManifest(manifest(name, text), all)
    expect({ name, classes, files }).toEqual({ name, classes: ['cat', 'dog'], files: expected } as never)
  }
  const quoted = await openManifest(manifest('q.csv', 'path,label\n" a.png",cat\n'), all)
  expect(quoted.files[0]?.path).toBe(join(folder, ' a.png'))
})

test('a manifest is divided in the same way wherever it lies, whatever is added', async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `${i}.png,cat\n`)
  mkdirSync(join(folder, 'other'))
  const parts = async (path: string): Promise<string[]> =>
    (await openManifest(path, { split: 'test' })).files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
  const before = await parts(manifest('m.csv', `path,label\n${lines.join('')}`))
  expect(before).toHaveLength(2)
  const moved = await parts(manifest('other/m.csv', `path,label\nx.png,ape\n${lines.toReversed().join('')}`))
  expect(moved.filter(name => name !== 'x.png').sort()).toEqual(before.sort())
})

describe('classes', () => {
  const text = 'path,label\na.png,10\nb.png,9\nc.png,10\n'
  test('that are numbers are sorted as numbers', async () => {
    expect((await openManifest(manifest('n.csv', text), all)).classes).toEqual(['9', '10'])
  })
  test('may be given, with their order', async () => {
    const { classes, files } = await openManifest(manifest('g.csv', text), { ...all, classes: ['10', '9', '8'] })
    expect(classes).toEqual(['10', '9', '8'])
    expect(files.map(({ label }) => label)).toEqual([0, 1, 0])
    await expect(openManifest(manifest('g.csv', text), { ...all, classes: ['9'] })).rejects.toThrow(
      "a.png has label '10'; expected one of 9.",
    )
  })
})

describe('splits', () => {
  test('are those of the file', async () => {
    const path = manifest('s.csv', 'path,label,split\na.png,x,train\nb.png,x,val\nc.png,y,\nd.png,y,test\n')
    const files = async (split: 'train' | 'validation' | 'test') =>
      (await openManifest(path, { split })).files.map(file => file.path.slice(folder.length + 1))
    expect(await files('train')).toEqual(['a.png', 'c.png'])
    expect(await files('validation')).toEqual(['b.png'])
    expect(await files('test')).toEqual(['d.png'])
    expect(await manifestSplits(path)).toEqual(['train', 'validation', 'test'])
  })
  test('stand in for each other', async () => {
    const path = manifest('t.csv', 'path,label,split\na.png,x,train\nb.png,x,val\n')
    expect((await openManifest(path, { split: 'test' })).files).toHaveLength(1)
    expect(await manifestSplits(path)).toEqual(['train', 'validation'])
  })
  test('are shares of every class when the file says none', async () => {
    const path = manifest(
      'u.csv',
      `path,label\n${Array.from({ length: 20 }, (_, i) => `${i}.png,${i % 2}\n`).join('')}`,
    )
    const { files } = await openManifest(path, { split: 'test', fractions: { validation: 0, test: 0.3 } })
    expect(files.map(({ label }) => label).sort()).toEqual([0, 0, 0, 1, 1, 1])
    expect(await manifestSplits(path)).toEqual(['train', 'validation', 'test'])
  })
})

describe('refuses, naming the line', () => {
  test.each([
    ['a.csv', 'x.png,cat\n', 'names no image'],
    [
      'a.csv',
      'x.png,cat\ny.png,dog\n',
      'a.csv, line 2 has no path; expected a .csv or .tsv whose first line is path,label',
    ],
    ['a.csv', 'path,label\n"x.png,cat\n', 'a.csv is no valid table: '],
    ['a.csv', 'path,label\nx.png,cat\ny.png\n', /a\.csv is no valid table: .*line 3/],
    ['a.csv', 'path,label\nx.png,\n', 'a.csv, line 2 has no label; expected the name of a class.'],
    ['a.csv', 'path,label\n,cat\n', 'a.csv, line 2 has an empty path'],
    [
      'a.csv',
      'path,label,split\nx.png,cat,rest\n',
      'a.csv, line 2 has split "rest"; expected train, validation, test.',
    ],
    ['a.csv', '', 'names no image'],
    ['a.jsonl', '{"path":"x.png","label":"cat"}\n{"path":', 'a.jsonl, line 2 is not JSON'],
    ['a.jsonl', '["x.png","cat"]', 'a.jsonl, line 1 is ["x.png","cat"]; expected {"path": …, "label": …}.'],
    ['a.jsonl', '{"path":"x.png","label":true}', 'a.jsonl, line 1 has no label'],
    [
      'a.jsonl',
      '{"path":"x.png","label":9007199254740993}',
      'a.jsonl, line 1 has label 9007199254740992, not the digits',
    ],
    ['a.jsonl', '{"path":"x.png","label":1e400}', 'a.jsonl, line 1 has label Infinity, not the digits'],
    ['a.jsonl', '{"path":"x.png","labels":["a",1e400]}', 'a.jsonl, line 1 has labels'],
    ['a.txt', 'x.png cat', 'a.txt is no manifest by its name; expected a .csv'],
  ])('%s %j', async (name, text, message) => {
    await expect(openManifest(manifest(name, text), all)).rejects.toThrow(message)
  })
  test('a file that is not there', async () => {
    await expect(openManifest(join(folder, 'none.csv'), all)).rejects.toThrow('none.csv does not exist; expected')
  })
})
