import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { repository } from './ops-table.ts'

const pages = resolve(import.meta.dirname, '../pages')

test.each(readdirSync(pages))('the page %s names files that exist', page => {
  const text = readFileSync(join(pages, page), 'utf8')
  const paths = [...text.matchAll(/`((?:packages|apps|examples|scripts|benchmarks)\/[\w./-]+)`/g)].map(
    ([, path]) => path,
  )
  expect(paths.filter(path => !existsSync(join(repository, path ?? '')))).toEqual([])
})
