import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { loraSuite } from '../../../core/test/lora-suite.ts'

beforeAll(() => useBackend('native'))

describe('PyTorch fixtures on native', () => fixtureSuite((name, run) => test(name, run)))

describe('low-rank adapters on native', () => loraSuite((name, run) => test(name, run)))
