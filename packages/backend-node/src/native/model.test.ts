import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '@vitral/core'
import { classTokenSuite } from '../../../core/test/class-token-suite.ts'
import { familySuite } from '../../../core/test/family-suite.ts'
import { fixtureSuite } from '../../../core/test/fixture-suite.ts'
import { layerScaleSuite } from '../../../core/test/layer-scale-suite.ts'
import { loraSuite } from '../../../core/test/lora-suite.ts'
import { oddSizesSuite } from '../../../core/test/odd-sizes-suite.ts'

beforeAll(() => useBackend('native'))

describe('PyTorch fixtures on native', () => fixtureSuite((name, run) => test(name, run)))

describe('what a classifier reads, on native', () => classTokenSuite((name, run) => test(name, run), 1e-5))

describe('low-rank adapters on native', () => loraSuite((name, run) => test(name, run)))

describe('images of odd sizes on native', () => oddSizesSuite((name, run) => test(name, run)))

describe('the family on native', () => familySuite((name, run) => test(name, run)))

describe('layer scale on native', () => layerScaleSuite((name, run) => test(name, run)))
