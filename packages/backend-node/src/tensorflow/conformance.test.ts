import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { startTensorflow } from './index.ts'

const whyNot = await startTensorflow().then(
  () => undefined,
  (error: Error) => error.message,
)

if (whyNot === undefined) {
  beforeAll(() => useBackend('tensorflow'))
  conformance({ test: (name, run) => test(name, run) })
  describe('PyTorch fixtures on tensorflow', () => fixtureSuite((name, run) => test(name, run)))
} else {
  console.log(`skipped the conformance of tensorflow: ${whyNot}`)
  test.skip('conformance of tensorflow', () => {})
}
