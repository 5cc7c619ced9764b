import { expect, test } from 'bun:test'
import manifest from '../package.json' with { type: 'json' }
import { vitralVersion } from './version.ts'

test('the version that a run records is that of package.json; write it into version.ts with each release', () => {
  expect(vitralVersion).toBe(manifest.version)
})
