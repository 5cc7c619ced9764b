/** Runs the same tests with the plain loops over bytes and with the native ones. */
import { afterAll, beforeAll, describe } from 'bun:test'
import { kernels, replaceKernels, usesNativeImages } from '../src/functional/kernels/kernels.ts'
import { loadNativeKernels } from '../src/functional/kernels/native-kernels.ts'
import { plainKernels } from '../src/functional/kernels/plain-kernels.ts'

await usesNativeImages()
const native = await loadNativeKernels()
if (!native)
  console.log('skipped the native kernels: packages/backend-node has no build, or VITRAL_IMAGES=plain is set')

export function describeForAllKernels(name: string, tests: () => void): void {
  for (const [kind, others] of Object.entries({ plain: plainKernels, ...(native && { native }) }))
    describe(`${name}, by ${kind} kernels`, () => {
      let before = kernels
      beforeAll(() => {
        before = replaceKernels(others)
      })
      afterAll(() => {
        replaceKernels(before)
      })
      tests()
    })
}
