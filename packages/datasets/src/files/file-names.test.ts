/** Names that are not UTF-8: their text as Python has it, and back to the bytes. */
import { expect, test } from 'bun:test'
import { pathIn, pathOnDisk, textOfName } from './file-names.ts'

test.each<[string, number[], string]>([
  ['Latin-1', [0x63, 0xe9], 'c\udce9'],
  ['half a character', [0xe2, 0x82, 0x61], '\udce2\udc82a'],
  ['an encoded surrogate', [0xed, 0xb3, 0xa9], '\udced\udcb3\udca9'],
  ['a byte beside an emoji', [0xf0, 0x9f, 0x98, 0x80, 0xff], '😀\udcff'],
])('%s becomes lone surrogates, and bytes again', (_, bytes, text) => {
  expect(textOfName(Uint8Array.from(bytes))).toBe(text)
  expect(pathOnDisk(text)).toEqual(Buffer.from(bytes))
})

test('UTF-8 stays the text that it is, a byte order mark and the replacement character too', () => {
  for (const text of ['é', 'e\u0301', '😀', '\ufeffa', '\ufffd']) {
    expect(textOfName(Buffer.from(text))).toBe(text)
    expect(pathOnDisk(text)).toBe(text)
  }
})

test('a name in a folder is joined without a loss', () => {
  expect([pathIn('a', 'b'), pathIn('a/', 'b'), pathIn('/', 'c\udce9')]).toEqual(['a/b', 'a/b', '/c\udce9'])
})
