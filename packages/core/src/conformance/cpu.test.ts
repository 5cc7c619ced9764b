/** The reference compositions, on tfjs's stock cpu backend. */
import { beforeAll, describe, test } from 'bun:test'
import { useBackend } from '../backend.ts'
import { conformance } from './index.ts'

beforeAll(() => useBackend('cpu'))

describe('conformance of stock cpu', () => conformance({ test: (name, run) => test(name, run) }))
