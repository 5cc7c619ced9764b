/** TFRecord framing: each record has its length, the length's checksum, the bytes, and their checksum. */
import { crc32c } from './crc32c.ts'

/** @returns the bytes framed, to be appended to a file. Source: tensorflow/core/lib/io/record_writer.h */
export function frameRecord(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(bytes.length + 16)
  const view = new DataView(framed.buffer)
  view.setBigUint64(0, BigInt(bytes.length), true)
  view.setUint32(8, maskedCrc(framed.subarray(0, 8)), true)
  framed.set(bytes, 12)
  view.setUint32(12 + bytes.length, maskedCrc(bytes), true)
  return framed
}

/** The checksum of bytes that hold checksums themselves is weak, so the format stores it rotated and shifted. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
