import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { opRows, opsPage, repository } from './ops-table.ts'

const rows = opRows()
/** Ops whose native adapter calls the kernels of others, or is a loop itself. */
const composed = new Set([
  ...['activate', 'insert-tokens', 'lora-weight', 'mean-tokens', 'relative-bias', 'rotate-heads', 'scale-rows'],
])

/** Ops of the family that are compositions of stock ops on every backend. */
const compositions = new Set(['attention-pool'])

/** What is made of other ops, and has no kernel's name of its own. */
const ofStockOps = ['norm-heads', 'binary-cross-entropy', 'distillation-loss', 'focal-loss', 'mean-squared-error']

test('the table of ops has every op that core exports, and no other', () => {
  const index = readFileSync(join(repository, 'packages/core/src/ops/index.ts'), 'utf8')
  const exports = [...index.matchAll(/^export \{([^}]*)\} from '\.\/([\w/-]+)\.ts'/gm)]
  const exported = exports.map(([, names = '', path = '']) => ({ names: names.split(','), stem: basename(path) }))
  const ops = exported.filter(({ names, stem }) => names.some(name => name.trim() === camelCase(stem)))
  expect(ops.map(({ stem }) => stem).sort()).toEqual([...rows.map(({ stem }) => stem), ...ofStockOps].sort())
})

const camelCase = (stem: string): string => stem.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

describe.each(rows.map(row => [row.stem, row] as const))('the op %s', (stem, { kernel, files }) => {
  test('an op has its kernel under its own name', () => {
    expect(kernel).toBe(`Vitral${stem.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())}`)
  })

  test('an op has a float64 truth of the same stem', () => {
    expect(files.truth).toBeDefined()
  })

  test('an op has adapter, binding and native kernel of the same stem', () => {
    if (compositions.has(stem)) return
    expect(files.nativeAdapter).toBeDefined()
    if (composed.has(stem)) return
    expect(files.nativeBinding).toBeDefined()
    expect(files.nativeKernel).toBeDefined()
  })
})

test('the page of ops links to files that exist', () => {
  const links = [...opsPage(rows).matchAll(/\]\(\.\.\/\.\.\/\.\.\/([^)]+)\)/g)].map(([, path]) => path as string)
  expect(links.length).toBeGreaterThan(3 * rows.length)
  for (const path of links) expect(existsSync(join(repository, path))).toBe(true)
})

test('the page of ops tells precisions and gradients apart', () => {
  const row = (stem: string) => rows.find(each => each.stem === stem)
  expect(row('linear')?.precisions).toEqual(['float32', 'bfloat16', 'float16', 'int8'])
  expect(row('attention')?.precisions).toEqual(['float32', 'bfloat16', 'float16'])
  expect(row('cross-entropy')?.precisions).toEqual(['float32'])
  expect([row('linear')?.gradient, row('grad-norm')?.gradient]).toEqual([true, false])
})
