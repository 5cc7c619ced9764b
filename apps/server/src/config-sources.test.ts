import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from './config-sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-config-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function file(text: string): string {
  const path = join(folder, `${Bun.hash(text)}.json`)
  writeFileSync(path, text)
  return path
}

test('readConfig lets flags override the environment, and the environment the file', () => {
  const config = readConfig({
    file: file('{"port": 1, "host": "localhost", "timeouts": {"idleSeconds": 50, "drainMilliseconds": 7}}'),
    environment: { VITRAL_SERVE_PORT: '2', VITRAL_SERVE_TIMEOUTS_IDLE_SECONDS: '60', PATH: '/bin' },
    settings: {
      port: 3,
      host: undefined,
      'limits.imagePixels': '5',
      'rateLimit.perKey': '{"requestsPerSecond":1,"burst":2}',
    },
  })
  expect([config.port, config.host]).toEqual([3, 'localhost'])
  expect(config.timeouts).toMatchObject({ idleSeconds: 60, drainMilliseconds: 7 })
  expect(config.limits).toMatchObject({ imagePixels: 5, jsonDepth: 64 })
  expect(config.rateLimit.perKey).toEqual({ requestsPerSecond: 1, burst: 2 })
})

test('readConfig reads lists from variables', () => {
  const sha256 = 'a'.repeat(64)
  const environment = {
    VITRAL_SERVE_AUTH_KEYS: JSON.stringify([{ name: 'team', sha256 }]),
    VITRAL_SERVE_HOST: '0.0.0.0',
  }
  expect(readConfig({ environment }).auth.keys).toEqual([{ name: 'team', sha256 }])
})

test('readConfig sets fields without a default by variables, and a model by its index', () => {
  const environment = { VITRAL_SERVE_TRACING_ENDPOINT: 'http://a:4318', VITRAL_SERVE_RATE_LIMIT_PER_ADDRESS: 'null' }
  const models = [{ name: 'a', folder: 'x' }]
  const config = readConfig({ environment, settings: { models, 'models.0.maxBatchSize': '16' } })
  expect(config.tracing.endpoint).toBe('http://a:4318')
  expect(config.rateLimit.perAddress).toBeNull()
  expect(config.models).toMatchObject([{ name: 'a', maxBatchSize: 16, workers: 1 }])
  expect(() => readConfig({ settings: { models, 'models.1.maxBatchSize': '16' } })).toThrow('models.1.name')
})

test('readConfig names what is wrong', () => {
  expect(() => readConfig({ environment: { VITRAL_SERVE_PROT: '1' } })).toThrow('VITRAL_SERVE_PROT')
  expect(() => readConfig({ environment: { VITRAL_SERVE_PORT: 'x' } })).toThrow('port: ')
  expect(() => readConfig({ settings: { 'limits.none': '1' } })).toThrow('none')
  expect(() => readConfig({ settings: { '__proto__.polluted': '1' } })).toThrow('__proto__')
  expect(() => readConfig({ file: file('{') })).toThrow('is not valid JSON')
  expect(() => readConfig({ file: file('[]') })).toThrow('is not a JSON object')
  expect(() => readConfig({ file: join(folder, 'none.json') })).toThrow('cannot be read')
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})
