import { expect, test } from 'bun:test'
import { byteLength, type Encoded, floatField, intField, messageField, stringField } from './protobuf.ts'

const hex = (encoded: Encoded) => encoded.map(piece => Buffer.from(piece).toString('hex')).join('')

test('fields are encoded as in the examples of the Protocol Buffers documentation', () => {
  expect(hex(intField(1, 150))).toBe('089601')
  expect(hex(stringField(2, 'testing'))).toBe('120774657374696e67')
  expect(hex(messageField(3, intField(1, 150)))).toBe('1a03089601')
})

test('a negative integer takes ten bytes, a float four', () => {
  expect(hex(intField(1, -1))).toBe('08ffffffffffffffffff01')
  expect(hex(floatField(2, 1))).toBe('150000803f')
})

test('a field number above 15 takes two bytes', () => {
  expect(hex(intField(20, 2))).toBe('a00102')
})

test('bytes are not copied', () => {
  const weights = new Uint8Array(1000)
  const encoded = messageField(9, [weights])
  expect(encoded.at(-1)).toBe(weights)
  expect(byteLength(encoded)).toBe(1003)
})
