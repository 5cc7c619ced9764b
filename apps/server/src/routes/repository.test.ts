import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createFakeEngine, model } from '../../test/support/fake-engine.ts'
import { failure, start } from '../../test/support/requests.ts'
import { createApp } from '../app.ts'

const path = '/v2/repository/models/tiny/load'
const key = (name: string) => ({ name, sha256: createHash('sha256').update(name).digest('hex') })
const as = (name: string): RequestInit => ({ method: 'POST', headers: { authorization: `Bearer ${name}` } })

test('the administration routes do not exist without an admin key', async () => {
  const { app } = start()
  expect(await failure(await app.request(path, { method: 'POST' }))).toEqual([404, 'not_found'])
})

test('an admin key opens only the administration routes, and no other key does', async () => {
  const reloaded: string[] = []
  const engine = Object.assign(createFakeEngine(), {
    reload: async (name: string) => {
      reloaded.push(name)
      return { ...model, version: 'v2' }
    },
  })
  const auth = { keys: [key('user')], adminKeys: [key('admin')] }
  const app = createApp({ engine, config: { log: false, auth } })
  expect(await failure(await app.request(path, { method: 'POST' }))).toEqual([401, 'unauthorized'])
  expect(await failure(await app.request(path, as('user')))).toEqual([401, 'unauthorized'])
  expect(await failure(await app.request('/v1/models', { ...as('admin'), method: 'GET' }))).toEqual([
    401,
    'unauthorized',
  ])
  for (const evasion of [
    '//v2/repository/models/tiny/load',
    '/V2/repository/models/tiny/load',
    '/v2/%72epository/models/tiny/load',
  ])
    expect((await app.request(evasion, as('user'))).status).not.toBe(200)
  expect(reloaded).toEqual([])
  expect(await (await app.request(path, as('admin'))).json()).toEqual({ name: 'tiny', version: 'v2' })
  expect(reloaded).toEqual(['tiny'])
})

test('the repository index lists all models, or those that are ready', async () => {
  const failed = { ...model, name: 'broken', state: 'failed' as const, version: '', error: 'Its folder is gone.' }
  const engine = createFakeEngine([model, failed])
  const app = createApp({ engine, config: { log: false, auth: { adminKeys: [key('admin')] } } })
  const ask = async (body?: object): Promise<unknown> => {
    const headers = { authorization: 'Bearer admin', ...(body && { 'content-type': 'application/json' }) }
    const init = { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) }
    return await (await app.request('/v2/repository/index', init)).json()
  }
  const tiny = { name: 'tiny', version: 'v1', state: 'READY', reason: '' }
  const broken = { name: 'broken', version: '', state: 'UNAVAILABLE', reason: 'Its folder is gone.' }
  expect(await ask()).toEqual([tiny, broken])
  expect(await ask({ ready: true })).toEqual([tiny])
  expect(await failure(await app.request('/v2/repository/index', { method: 'POST' }))).toEqual([401, 'unauthorized'])
})
