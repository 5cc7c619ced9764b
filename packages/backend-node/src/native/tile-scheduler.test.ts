/** How threads share a product, played through in a C++ program of its own: native/test/tile-scheduler.cpp. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { compileProgram, compiler, type NativeProgram } from '../../test/native-program.ts'

if (!compiler) console.log('skipped how threads share a product: there is no C++ compiler')

describe.skipIf(!compiler)('the pieces of a product', () => {
  let program: NativeProgram
  beforeAll(() => {
    program = compileProgram('test/tile-scheduler')
  })
  afterAll(() => program.remove())

  for (const [check, what] of Object.entries({
    covers: 'are claimed once each, and all of them',
    shrinks: 'become ever shorter, but not shorter than is worth it',
    'held-up': 'go to the thread that has time: one that is held up gets fewer, and is not waited for',
  }))
    test(what, () => expect(program.run(check)).toEqual({ status: 0, output: '' }))
})
