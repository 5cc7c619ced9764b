/** The few encodings of Protocol Buffers that an ONNX file is made of, so that no library and no schema is needed. */

/** Pieces whose concatenation is the encoding. Weights stay the array they were read into: nothing is copied. */
export type Encoded = Uint8Array[]

const wireType = { varint: 0, bytes: 2, float: 5 } as const

/** An int64, enum or bool field. */
export function intField(field: number, value: number): Encoded {
  return [tag(field, wireType.varint), varint(value)]
}

export function floatField(field: number, value: number): Encoded {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return [tag(field, wireType.float), bytes]
}

export function stringField(field: number, value: string): Encoded {
  return messageField(field, [new TextEncoder().encode(value)])
}

/** A message or bytes field: its length, then its pieces. */
export function messageField(field: number, content: Encoded): Encoded {
  return [tag(field, wireType.bytes), varint(byteLength(content)), ...content]
}

export function byteLength(encoded: Encoded): number {
  return encoded.reduce((sum, piece) => sum + piece.length, 0)
}

const tag = (field: number, type: number) => varint(field * 8 + type)

/** Seven bits a byte, lowest first; a negative number as its 64-bit two's complement, as protobuf's int64 wants it. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
