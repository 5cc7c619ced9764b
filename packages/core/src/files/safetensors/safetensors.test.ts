import { expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBits } from '../../tape/random.ts'
import { bytesOf, type Dtype, dtypes, toFloat32, viewAs } from './dtypes.ts'
import { parseSafetensors, type SafeTensor, serializeSafetensors } from './safetensors.ts'
import { readSafetensors, writeSafetensors } from './safetensors-file.ts'
import { SafetensorsError } from './safetensors-header.ts'

/** A file from a header's text and as many bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, headerLength?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + text.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}

const one = (fields: string): string => `{"a":{${fields}}}`
const valid = '"dtype":"F32","shape":[2],"data_offsets":[0,8]'

test('parseSafetensors reads a file, and views its tensors', () => {
  const { tensors, metadata } = parseSafetensors(file(`{"__metadata__":{"format":"pt"},"a":{${valid}}}`, 8))
  expect(metadata).toEqual({ format: 'pt' })
  expect(tensors.get('a')).toEqual({ dtype: 'F32', shape: [2], data: new Float32Array(2) })
})

test('a header padded with spaces, a scalar and an empty tensor are valid', () => {
  const header =
    '{"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]}}   '
  expect([...parseSafetensors(file(header, 8)).tensors.keys()]).toEqual(['s', 'e'])
})

const refused: [name: string, bytes: Uint8Array, message: string][] = [
  ['an empty file', new Uint8Array(0), 'has 0 bytes; a safetensors file has at least 8'],
  ['a file shorter than its prefix', new Uint8Array(7), 'has 7 bytes'],
  ['a header longer than the file', file('{}', 0, 3n), 'says its header has 3 bytes, but only 2 follow'],
  ['a header of 2^64 − 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'at most 100000000 are allowed'],
  ['a header of 2^53 + 1 bytes', file('{}', 0, 2n ** 53n + 1n), 'at most 100000000 are allowed'],
  ['an empty header', file(''), "does not begin with '{'"],
  ['a header that is no UTF-8', file(Uint8Array.of(0x7b, 0xff, 0x7d)), 'is not UTF-8'],
  ['a header that is no JSON', file('{"a":}'), 'is not JSON'],
  ['a header that is an array', file('[]'), "does not begin with '{'"],
  ['a header after a space', file(' {}'), "does not begin with '{'"],
  ['a header with text after it', file('{}x'), 'is not JSON'],
  ['a header padded with zeros', file('{}\0'), 'is not JSON'],
  ['a name twice', file(`{"a":{${valid}},"a":{${valid}}}`, 8), "has the key 'a' twice"],
  ['a name twice, once escaped', file(`{"a":{${valid}},"\\u0061":{${valid}}}`, 8), "has the key 'a' twice"],
  ['a field twice', file(one(`${valid},"dtype":"F32"`), 8), "has the key 'dtype' twice"],
  [
    'an offset that is no whole number in the file',
    file(one('"dtype":"F32","shape":[2],"data_offsets":[0,8.0]'), 8),
    "has 8.0 in data_offsets of tensor 'a'",
  ],
  ['a size with an exponent', file(one('"dtype":"F32","shape":[2e0],"data_offsets":[0,8]'), 8), 'has 2e0 in shape'],
  ['an offset of -0', file(one('"dtype":"F32","shape":[2],"data_offsets":[-0,8]'), 8), 'has -0 in data_offsets'],
  ['a tensor inside a tensor', file(`{"a":{"b":{${valid}}}}`, 8), "Tensor 'a' of safetensors has dtype undefined"],
  [
    'a header that nests deeply',
    file(`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`),
    "Tensor 'a' of safetensors is not described by an object",
  ],
  [
    'nested brackets beyond what a tensor needs',
    file(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`),
    "Tensor 'a' of safetensors is described by more than 4096 characters",
  ],
  ['a shape without end', file(one(`"shape":[${'0,'.repeat(1e6)}0]`)), 'is described by more than 4096 characters'],
  [
    'brackets in the metadata',
    file(`{"__metadata__":{"a":${'['.repeat(1e6)}}}`),
    'is not a map from strings to strings',
  ],
  [
    'more tensors than a file has',
    file(`{${Array.from({ length: 140_000 }, (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`),
    'has an object of more than 131072 members',
  ],
  ['metadata that is not text', file('{"__metadata__":{"n":1}}'), 'is not a map from strings to strings'],
  ['a tensor that is a number', file('{"a":1}'), "Tensor 'a' of safetensors is not described by an object"],
  ['an unknown dtype', file(one('"dtype":"F8","shape":[],"data_offsets":[0,1]'), 1), 'has dtype "F8"; known are U64'],
  [
    'a dtype from the prototype',
    file(one('"dtype":"constructor","shape":[],"data_offsets":[0,1]'), 1),
    'has dtype "constructor"',
  ],
  ['a negative size', file(one('"dtype":"F32","shape":[-2],"data_offsets":[0,8]'), 8), 'has shape [-2]'],
  ['a fractional size', file(one('"dtype":"F32","shape":[1.5],"data_offsets":[0,8]'), 8), 'has shape [1.5]'],
  [
    'a size beyond 2^53',
    file(one('"dtype":"F32","shape":[9007199254740992],"data_offsets":[0,8]'), 8),
    'expected whole numbers',
  ],
  [
    'a shape that overflows',
    file(one('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]'), 8),
    'beyond 2^53 bytes',
  ],
  [
    'a shape that overflows before it is empty',
    file(one('"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]')),
    'beyond 2^53 bytes',
  ],
  [
    'a wrong byte count',
    file(one('"dtype":"F32","shape":[3],"data_offsets":[0,8]'), 8),
    'F32 of shape [3] needs 12 bytes',
  ],
  ['reversed offsets', file(one('"dtype":"F32","shape":[2],"data_offsets":[8,0]'), 8), 'has data_offsets [8, 0]'],
  ['negative offsets', file(one('"dtype":"F32","shape":[2],"data_offsets":[-8,0]'), 8), 'has data_offsets [-8,0]'],
  [
    'offsets that are text',
    file(one('"dtype":"F32","shape":[2],"data_offsets":["0","8"]'), 8),
    'expected [begin, end] in bytes',
  ],
  ['one offset', file(one('"dtype":"F32","shape":[2],"data_offsets":[8]'), 8), 'expected [begin, end] in bytes'],
  ['a tensor beyond the end', file(one(valid), 7), 'ends at byte 8 of 7: the file is cut off'],
  [
    'a gap at the beginning',
    file(one('"dtype":"F32","shape":[1],"data_offsets":[4,8]'), 8),
    "gap of 4 bytes before tensor 'a'",
  ],
  ['bytes after the last tensor', file(one(valid), 9), 'has 1 bytes after its last tensor'],
  [
    'overlapping tensors',
    file(`{"a":{${valid}},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
    "Tensor 'b' of safetensors overlaps",
  ],
]

for (const [name, bytes, message] of refused)
  test(`refuses ${name}`, () => {
    expect(() => parseSafetensors(bytes)).toThrow(SafetensorsError)
    expect(() => parseSafetensors(bytes)).toThrow(message)
  })

test('a tensor may be called __proto__ and changes nothing but the map', () => {
  const bytes = serializeSafetensors(
    new Map([['__proto__', { dtype: 'U8', shape: [1], data: Uint8Array.of(7) } satisfies SafeTensor]]),
  )
  const { tensors } = parseSafetensors(Buffer.concat(bytes))
  expect(tensors.get('__proto__')?.data).toEqual(Uint8Array.of(7))
  expect(({} as Record<string, unknown>).dtype).toBeUndefined()
})

test('20,000 damaged files are read or refused, never anything else', () => {
  const whole = Buffer.concat(
    serializeSafetensors(
      new Map<string, SafeTensor>([
        ['weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
        ['labels', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, 2n) }],
        ['mask', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(0, 1, 0) }],
      ]),
      { format: 'pt' },
    ),
  )
  let refusals = 0
  for (let mutant = 0; mutant < 20_000; mutant++) {
    let next = 0
    const random = (limit: number): number => randomBits(mutant, next++) % limit
    let bytes = Uint8Array.from(whole)
    for (let edits = 1 + random(4); edits > 0; edits--) {
      const at = random(bytes.length)
      if (random(8) === 0) bytes = bytes.slice(0, at + 1)
      else bytes[at] = random(2) ? random(256) : (bytes[at] as number) ^ (1 << random(8))
    }
    try {
      parseSafetensors(bytes)
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error
      refusals++
    }
  }
  expect(refusals).toBeGreaterThan(10_000)
})

test('what is written is read back byte for byte, every dtype and any size', () => {
  for (let round = 0; round < 200; round++) {
    let next = 0
    const random = (limit: number): number => randomBits(round, next++) % limit
    const tensors = new Map<string, SafeTensor>()
    for (let i = random(6); i >= 0; i--) {
      const dtype = dtypes[random(dtypes.length)] as Dtype
      const shape = Array.from({ length: random(4) }, () => random(5))
      const bytes = Uint8Array.from({ length: shape.reduce((product, size) => product * size, bytesOf(dtype)) }, () =>
        random(256),
      )
      tensors.set(`tensor ${i} “é”`, { dtype, shape, data: viewAs(dtype, bytes) })
    }
    const bytes = Buffer.concat(serializeSafetensors(tensors, { round: String(round) }))
    const back = parseSafetensors(bytes)
    expect(back.metadata).toEqual({ round: String(round) })
    expect(back.tensors.size).toBe(tensors.size)
    expect(Buffer.concat(serializeSafetensors(back.tensors, back.metadata)).equals(bytes)).toBe(true)
  }
})

test('every dtype lies aligned in what is written, in the order of the reference writer', () => {
  const tensors = new Map<string, SafeTensor>()
  for (const dtype of [...dtypes].reverse())
    tensors.set(dtype, { dtype, shape: [3], data: viewAs(dtype, new Uint8Array(3 * bytesOf(dtype))) })
  const bytes = new Uint8Array(Buffer.concat(serializeSafetensors(tensors)))
  const { tensors: back } = parseSafetensors(bytes)
  expect([...back.keys()].join()).toBe('U64,I64,F64,F32,U32,I32,BF16,F16,U16,I16,I8,U8,BOOL')
  for (const { data } of back.values()) expect(data.buffer).toBe(bytes.buffer) // a view: it was aligned
})

test('a name of megabytes is read', () => {
  const name = 'n'.repeat(2_000_000)
  expect([...parseSafetensors(file(`{"${name}":{${valid}}}`, 8)).tensors.keys()]).toEqual([name])
})

test('tensors that cannot be written are refused by name', () => {
  const refused = (name: string, tensor: SafeTensor, message: string) =>
    expect(() => serializeSafetensors(new Map([[name, tensor]]))).toThrow(message)
  const data = new Float32Array(2)
  refused('a', { dtype: 'F32', shape: [3], data }, "Tensor 'a' has 2 elements; its shape [3] needs 3")
  refused('a', { dtype: 'F16', shape: [2], data }, "Tensor 'a' is F16, but its data are a Float32Array")
  refused('__metadata__', { dtype: 'F32', shape: [2], data }, "cannot be called '__metadata__'")
})

test('half precision is converted exactly', () => {
  const half = (bits: number): number | undefined => toFloat32({ dtype: 'F16', data: Uint16Array.of(bits) })[0]
  expect([0x0000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0xfc00].map(half)).toEqual([
    0,
    1,
    -2,
    65504,
    2 ** -24,
    2 ** -14,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ])
  expect(half(0x7c01)).toBeNaN()
  expect(Object.is(half(0x8000), -0)).toBe(true)
  expect([...toFloat32({ dtype: 'BF16', data: Uint16Array.of(0x3f80, 0xc040, 0x7f80) })]).toEqual([
    1,
    -3,
    Number.POSITIVE_INFINITY,
  ])
  expect([...toFloat32({ dtype: 'F64', data: Float64Array.of(0.1) })]).toEqual([Math.fround(0.1)])
})

test('a file with a header of any length is read without a second copy of its tensors', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-safetensors-'))
  const path = join(folder, 'model.safetensors')
  for (let spaces = 0; spaces < 8; spaces++) {
    const header = `{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"b":{${valid.replace('[0,8]', '[8,16]')}}}`
    writeFileSync(path, file(header + ' '.repeat(spaces), 16))
    const { tensors } = await readSafetensors(path)
    expect(tensors.get('a')?.data).toEqual(new Float64Array(1))
    expect(tensors.get('a')?.data.buffer).toBe(tensors.get('b')?.data.buffer as ArrayBuffer)
  }
  rmSync(folder, { recursive: true })
})

test('a file on disk is replaced whole, and an unwritable one leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-safetensors-'))
  const path = join(folder, 'model.safetensors')
  const tensors = new Map<string, SafeTensor>([['a', { dtype: 'F32', shape: [3], data: Float32Array.of(1, 2, 3) }]])
  await writeSafetensors(path, tensors)
  await writeSafetensors(path, tensors, { again: 'yes' })
  const { tensors: back, metadata } = await readSafetensors(path)
  expect([...toFloat32(back.get('a') as SafeTensor)]).toEqual([1, 2, 3])
  expect(metadata).toEqual({ again: 'yes' })
  expect(readdirSync(folder)).toEqual(['model.safetensors'])
  expect(writeSafetensors(join(folder, 'none', 'x'), tensors)).rejects.toThrow('ENOENT')
  expect(readSafetensors(join(folder, 'none'))).rejects.toThrow('ENOENT')
  rmSync(folder, { recursive: true })
})
