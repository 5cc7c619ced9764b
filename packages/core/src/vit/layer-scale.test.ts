import { beforeAll, test } from 'bun:test'
import { layerScaleSuite } from '../../test/layer-scale-suite.ts'
import { useBackend } from '../backend.ts'

beforeAll(() => useBackend('cpu'))

layerScaleSuite(test)
