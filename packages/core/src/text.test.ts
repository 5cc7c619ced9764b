import { describe, expect, test } from 'bun:test'
import { jsonLine, listChoices, listNames, percent, printable, printableLines, rootMessage } from './text.ts'

const hostile = '\u001b]0;title\u0007\u009b2J\r\ncat\u202egod\u2028line\u007f\t'

describe('printable', () => {
  test('writes control characters as JSON does, and keeps all other text', () => {
    expect(printable(hostile)).toBe('\\u001b]0;title\\u0007\\u009b2J\\r\\ncat\\u202egod\\u2028line\\u007f\\t')
    expect(printable('Katze, γάτα, 猫 🐈‍⬛ "naïve" \\')).toBe('Katze, γάτα, 猫 🐈‍⬛ "naïve" \\')
  })

  test('printableLines keeps line ends alone', () =>
    expect(printableLines('one\ntwo\u001b[1m\r\n')).toBe('one\ntwo\\u001b[1m\\r\n'))

  test('jsonLine holds no control character and reads back the same', () => {
    const line = jsonLine({ [hostile]: [hostile, 1, null] })
    expect(line).toMatch(/^[\x20-\x7e]+$/)
    expect(JSON.parse(line)).toEqual({ [hostile]: [hostile, 1, null] })
  })
})

test('listNames shortens a long list and says how many more there are', () => {
  expect(listNames(['a', 'b\n'])).toBe('a, b\\n')
  expect(listNames(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
})

test('listChoices puts an "or" before the last of several names', () => {
  expect(listChoices([])).toBe('')
  expect(listChoices(['jpeg'])).toBe('jpeg')
  expect(listChoices(['jpeg', 'png'])).toBe('jpeg or png')
  expect(listChoices(['jpeg', 'png', 'webp'])).toBe('jpeg, png or webp')
})

test('rootMessage gives the message of the first cause', () => {
  const refused = new Error('Proxy response (403) !== 200 when HTTP Tunneling')
  const cancelled = new Error('Request was cancelled.', { cause: refused })
  expect(rootMessage(new TypeError('fetch failed', { cause: cancelled }))).toBe(refused.message)
  expect(rootMessage(new Error('alone'))).toBe('alone')
  expect(rootMessage(new Error('with an empty cause', { cause: new Error('') }))).toBe('with an empty cause')
})

test('percent writes a share with two digits, or as many as are asked for', () => {
  expect([percent(0.6125), percent(0.5, 0)]).toEqual(['61.25%', '50%'])
})
