/** Just enough of Protocol Buffers' wire format to write messages: a message is its fields, one after the other. */

const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 }

/** A whole number from 0 to 2^53: seven bits a byte, the lowest first. */
export function varint(field: number, value: number): Uint8Array {
  return concat(key(field, 'varint'), encodeVarint(value))
}

export function float(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return concat(key(field, 'fixed32'), bytes)
}

export function double(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return concat(key(field, 'fixed64'), bytes)
}

export function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value))
}

/** A message in a message. */
export function message(field: number, ...fields: Uint8Array[]): Uint8Array {
  const bytes = concat(...fields)
  return concat(key(field, 'bytes'), encodeVarint(bytes.length), bytes)
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const key = (field: number, type: keyof typeof wireTypes): Uint8Array => encodeVarint(field * 8 + wireTypes[type])

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.from([...bytes, rest])
}
