/** The table of fields: what is read, and that nothing else is passed over. */
import { expect, test } from 'bun:test'
import { listNames } from '../text.ts'
import { describeValue, type FieldTable, finiteNumber, oneOf, readFields, trueOrFalse, wholeNumber } from './fields.ts'

const table = {
  what: 'a thing',
  obeyed: {
    size: { key: 'image_size', ...wholeNumber(1, 4096) },
    eps: { key: 'eps', ...finiteNumber(0) },
    bias: { key: 'bias', ...trueOrFalse },
    kind: { key: 'kind', ...oneOf('a', 'b') },
  },
  harmless: ['version'],
  refused: { crop: [false], groups: [1] },
  unknown: 'refused',
} satisfies FieldTable<string>

test('fields are read by the names of the table, and what asks for nothing is none', () => {
  const json = {
    image_size: 8,
    eps: 1e-6,
    bias: null,
    kind: 'b',
    version: [1],
    crop: false,
    groups: 1,
    other: null,
    more: {},
  }
  expect(readFields(json, table, 'x.json')).toEqual({ values: { size: 8, eps: 1e-6, kind: 'b' }, unknown: [] })
})

const refused: [json: string, message: string][] = [
  ['[]', 'x.json holds no JSON object; expected a thing'],
  ['null', 'x.json holds no JSON object'],
  ['{"image_size":1e400}', 'x.json: image_size is Infinity; expected a whole number from 1 to 4096'],
  ['{"image_size":9007199254740992}', 'image_size is 9007199254740992; expected'],
  ['{"image_size":1.5}', 'image_size is 1.5; expected a whole number'],
  ['{"image_size":"8"}', 'image_size is "8"; expected'],
  ['{"eps":1e400}', 'eps is Infinity; expected a number, 0 or more'],
  ['{"eps":-1}', 'eps is -1; expected'],
  ['{"bias":0}', 'bias is 0; expected true or false'],
  ['{"kind":"c"}', 'kind is "c"; expected "a", "b"'],
  ['{"crop":true}', 'crop is true; expected false or no such field, since Vitral has no other'],
  ['{"groups":[2]}', 'groups is [2]; expected 1 or no such field'],
  ['{"a":1,"b":false,"c":3,"d":4,"e":5,"f":6}', 'x.json: Vitral does not know a, b, c, d, e and 1 more;'],
  ['{"__proto__":1}', 'x.json: Vitral does not know __proto__;'],
]
for (const [json, message] of refused)
  test(`${json} is refused`, () => {
    expect(() => readFields(JSON.parse(json), table, 'x.json')).toThrow(message)
  })

test('unknown fields are returned where the table says so', () => {
  const { unknown } = readFields({ a: 1, b: null }, { ...table, unknown: 'returned' }, 'x.json')
  expect(unknown).toEqual(['a'])
})

test('long values and long lists are cut in messages', () => {
  expect(describeValue('x'.repeat(1e6))).toHaveLength(100)
  expect(describeValue(undefined)).toBe('missing')
  expect(describeValue(JSON.parse('[1e400, 1]'))).toBe('["Infinity",1]')
  expect(listNames(['a', 'b'])).toBe('a, b')
  expect(listNames(['x'.repeat(1e6)])).toHaveLength(100)
  expect(listNames(['a\u001b[2J', 'b\nc'])).toBe('a\\u001b[2J, b\\nc')
  expect(describeValue('\u202e\u009b')).toBe('"\\u202e\\u009b"')
  expect(listNames(['a', 'b', 'c'], 2)).toBe('a, b and 1 more')
})
