import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { conformance } from '@vitral/core/conformance'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { loraSuite } from '../../../core/test/lora-suite.ts'

beforeAll(() => useBackend('wasm'))

describe('conformance of stock wasm', () => conformance({ test: (name, run) => test(name, run) }))
describe('PyTorch fixtures on stock wasm', () => fixtureSuite((name, run) => test(name, run)))
describe('low-rank adapters on stock wasm', () => loraSuite((name, run) => test(name, run)))
