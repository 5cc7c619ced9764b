import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { classTokenSuite } from '../../../core/test/class-token-suite.ts'
import { familySuite } from '../../../core/test/family-suite.ts'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { int8Cases } from '../../../core/test/int8-cases.ts'
import { loraSuite } from '../../../core/test/lora-suite.ts'
import { weightLevels } from '../../test/wasm-conformance.ts'

beforeAll(() => useBackend('wasm'))

describe('conformance of wasm', () => conformance({ test: (name, run) => test(name, run) }))
describe('products on wasm', () => {
  for (const { name, run } of int8Cases(weightLevels)) test(name, run)
})
describe('PyTorch fixtures on wasm', () => fixtureSuite((name, run) => test(name, run)))

describe('the family on wasm', () => familySuite((name, run) => test(name, run)))
describe('what a classifier reads, on wasm', () => classTokenSuite((name, run) => test(name, run), 1e-5))
describe('low-rank adapters on wasm', () => loraSuite((name, run) => test(name, run)))
