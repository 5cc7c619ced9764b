import { expect, test } from 'bun:test'
import { explain } from './load-errors.ts'

test('explain gives one printable line without the folder’s path', () => {
  const error = new Error('/a/b/config.json names \u001b]0;title\u0007\n  cat\u202egod in /a/b')
  expect(explain(error, '/a/b')).toBe('config.json names \\u001b]0;title\\u0007 cat\\u202egod in its folder')
})
