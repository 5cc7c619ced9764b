import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { opRows, opsPage, repository } from './ops-table.ts'

const rows = opRows()
/** Ops whose native adapter calls the kernels of others. */
const composed = new Set(['lora-weight'])

test('the table of ops has every op that core exports', () => {
  const stems = rows.map(({ stem }) => stem)
  for (const stem of ['layer-norm', 'linear', 'qkv', 'attention', 'patch-embed', 'optimizer-step', 'grad-norm'])
    expect(stems).toContain(stem)
})

describe.each(rows.map(row => [row.stem, row] as const))('the op %s', (stem, { kernel, files }) => {
  test('has its kernel under its own name', () => {
    expect(kernel).toBe(`Vitral${stem.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())}`)
  })

  test('has a float64 truth of the same stem', () => {
    expect(files.truth).toBeDefined()
  })

  test('has adapter, binding and native kernel of the same stem', () => {
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
  expect(row('linear')?.precisions).toEqual(['float32', 'bfloat16', 'int8'])
  expect(row('attention')?.precisions).toEqual(['float32', 'bfloat16'])
  expect(row('cross-entropy')?.precisions).toEqual(['float32'])
  expect([row('linear')?.gradient, row('grad-norm')?.gradient]).toEqual([true, false])
})
