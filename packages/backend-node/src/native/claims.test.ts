/** How threads share a product, played through in a C++ program of its own: native/test/claims.cpp. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const scratch = mkdtempSync(join(tmpdir(), 'vitral-claims-'))
const program = join(scratch, 'claims')
const compiler = ['g++', 'clang++'].find(name => Bun.which(name))

if (!compiler) console.log('skipped how threads share a product: there is no C++ compiler')

describe.skipIf(!compiler)('the pieces of a product', () => {
  beforeAll(() => {
    const source = join(import.meta.dir, '../../native/test/claims.cpp')
    const args = ['-O2', '-std=c++17', source, '-o', program]
    const { status, stderr } = spawnSync(compiler as string, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  for (const [check, what] of Object.entries({
    covers: 'are claimed once each, and all of them',
    shrinks: 'become ever shorter, but not shorter than is worth it',
    'held-up': 'go to the thread that has time: one that is held up gets fewer, and is not waited for',
  }))
    test(what, () => {
      const { status, stdout, stderr } = spawnSync(program, [check], { encoding: 'utf8' })
      expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' })
    })
})
