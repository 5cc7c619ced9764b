import { expect, test } from 'bun:test'
import { requireToken, trimToken } from './hub-token.ts'
import { hubEnvironment } from './node-network.ts'

test.each([
  ['hf_abc', 'hf_abc'],
  ['hf_abc\n', 'hf_abc'],
  [' hf_abc\r\n', 'hf_abc'],
  ['   ', undefined],
  ['', undefined],
  [undefined, undefined],
])('trimToken(%j) is %j', (given, expected) => expect(trimToken(given)).toBe(expected as string))

test.each([
  ['hf_abc\nhf_def', 'holds a line end after 6 characters; expected one such as hf_…'],
  ['my secret', 'holds white space after 2 characters'],
  ['hf_\u201cabc', 'holds the character U+201C after 3 characters'],
])('the token %j is refused without being told', (given, message) => {
  expect(() => requireToken(given)).toThrow(message)
  expect(() => requireToken(given)).not.toThrow(given)
})

test('HF_TOKEN with a line end, as a file or a secret gives it, is that token', () => {
  const env = { HF_HOME: '/none', HF_TOKEN: 'hf_abc\n' }
  expect(hubEnvironment(env).token).toBe('hf_abc')
  expect(hubEnvironment({ ...env, HF_TOKEN: ' ' })).not.toHaveProperty('token')
})
