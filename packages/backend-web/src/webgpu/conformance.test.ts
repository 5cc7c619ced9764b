import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { classTokenSuite } from '../../../core/test/class-token-suite.ts'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { loraSuite } from '../../../core/test/lora-suite.ts'
import { whyNoGpu } from '../../test/gpu.ts'

const reason = whyNoGpu()
if (reason) console.log(`skipped the tests of webgpu: ${reason}`)

describe.skipIf(reason !== undefined)('webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  describe('conformance', () => conformance({ test: (name, run) => test(name, run) }))
  describe('PyTorch fixtures', () => fixtureSuite((name, run) => test(name, run)))
  describe('what a classifier reads', () => classTokenSuite((name, run) => test(name, run), 1e-4))
  describe('low-rank adapters', () => loraSuite((name, run) => test(name, run)))
})
