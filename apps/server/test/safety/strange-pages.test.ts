/** Requests that malicious pages can have their visitors' browsers send to a server without keys. */
import { expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import type { ConfigInput } from '../../src/index.ts'
import { createFakeEngine } from '../support/fake-engine.ts'
import { failure, form, images, post, start } from '../support/requests.ts'

const path = '/v1/models/tiny/classify'
const local = { 'content-type': 'image/jpeg', host: 'localhost:8000' }
const send = (config: ConfigInput, headers: Record<string, string>) =>
  start(config).app.request(path, post(images.jpeg, { ...local, ...headers }))
const outcome = async (response: Response | Promise<Response>) => {
  const answer = await response
  return answer.status === 200 ? 200 : await failure(answer)
}

test('a server on a loopback address accepts only this machine’s names in Host', async () => {
  for (const host of ['localhost', 'LOCALHOST:1', 'a.localhost:8000', '127.0.0.1:8000', '127.1.2.3', '[::1]:8000'])
    expect([host, await outcome(send({}, { host }))]).toEqual([host, 200])
  const strangers = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'xlocalhost',
    '192.168.1.2',
    '[::2]',
    '0.0.0.0',
    '@',
    'a b',
  ]
  for (const host of strangers) {
    expect([host, await outcome(send({}, { host }))]).toEqual([host, [421, 'unknown_host']])
    // Nothing is read of it either.
    for (const page of ['/', '/v1/models', '/metrics', '/v2/health/ready'])
      expect(await outcome(start().app.request(page, { headers: { host } }))).toEqual([421, 'unknown_host'])
  }
})

test('other names in Host are accepted if configured, or if other machines reach the server', async () => {
  const hosts = ['vit.Example.com']
  expect(await outcome(send({ hosts }, { host: 'VIT.example.com:443' }))).toBe(200)
  expect(await outcome(send({ hosts }, { host: 'localhost:8000' }))).toBe(200)
  expect(await outcome(send({ hosts }, { host: 'evil.example' }))).toEqual([421, 'unknown_host'])
  const open = { host: '0.0.0.0', allowWithoutKey: true }
  expect(await outcome(send(open, { host: 'vit.example.com' }))).toBe(200)
  expect(await outcome(send({ ...open, hosts }, { host: 'evil.example' }))).toEqual([421, 'unknown_host'])
})

test('requests that cost something are rejected from pages of other origins', async () => {
  const refused: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'anything' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:3000' },
    { origin: 'null' },
  ]
  for (const headers of refused)
    expect([headers, await outcome(send({}, headers))]).toEqual([headers, [403, 'cross_site']])
  const taken: Record<string, string>[] = [
    {},
    { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8000' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://localhost:8000' },
  ]
  for (const headers of taken) expect([headers, await outcome(send({}, headers))]).toEqual([headers, 200])
})

test('configured origins may call', async () => {
  const cors = { origins: ['https://app.example'] }
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }
  expect(await outcome(send({ cors }, headers))).toBe(200)
  expect(await outcome(send({ cors }, { ...headers, origin: 'https://evil.example' }))).toEqual([403, 'cross_site'])
})

test('a form of another origin is rejected before its body is read, whatever its type', async () => {
  const engine = createFakeEngine()
  const app = createApp({ engine, config: { log: false } })
  const headers = { host: 'localhost', 'sec-fetch-site': 'cross-site' }
  let pulled = 0
  const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 })
  expect(await outcome(app.request(path, { method: 'POST', body, headers }))).toEqual([403, 'cross_site'])
  expect(pulled).toBe(0)
  expect(await outcome(app.request(path, post(form(images.jpeg), headers)))).toEqual([403, 'cross_site'])
  for (const route of ['/models/tiny', '/v2/models/tiny/infer', '/v1/models/tiny/explain', '/v1/models/tiny/embed'])
    expect(await outcome(app.request(route, post({}, headers)))).toEqual([403, 'cross_site'])
  expect(engine.requests).toEqual([])
  expect((await app.request('/v1/models', { headers })).status).toBe(200)
})
