/** Files with more than 8 bits a channel: those whose values cannot be told from black, or mean nothing, are refused. */
import type { Metadata, Sharp } from 'sharp'
import { Refusal } from './decoder.ts'

/** What PIL reads, by the decoder's name for it. */
const readable = (depth: string, channels: number): boolean =>
  depth === 'uchar' || depth === 'ushort' || (channels === 1 && ['float', 'int', 'uint'].includes(depth))

/** @throws a Refusal of signed bytes, halves, and floats of colour, which PIL does not read and others read each in a way of their own */
export function checkDepth({ depth, channels, bitsPerSample }: Metadata): void {
  if (readable(depth, channels) && !(depth === 'float' && bitsPerSample === 16)) return
  throw new Refusal(
    `its pixels are '${depth}' of ${bitsPerSample} bits in ${channels} ${channels === 1 ? 'channel' : 'channels'}; expected 8 or 16 bits without a sign, or grey of 32 bits from 0 to 255. Convert it.`,
    'format',
  )
}

/**
 * Floats from 0 to 1, and bytes in 16 bits, become a picture of 0 and 1: black to the eye and to a model.
 *
 * @param bytes what the file became
 * @throws a Refusal that says how to scale the values
 */
export async function checkRange(bytes: Uint8Array, open: () => Sharp): Promise<void> {
  if (bytes.some(byte => byte > 1)) return
  const { depth } = await open().metadata()
  if (depth !== 'float' && depth !== 'ushort') return
  const { channels } = await open().stats()
  const most = channels.reduce((largest, { max }) => Math.max(largest, max), 0)
  if (depth === 'float' && most > 0 && most <= 1)
    throw new Refusal(
      'its floats lie between 0 and 1, and would become black; expected values from 0 to 255: multiply them by 255.',
      'format',
    )
  if (depth === 'ushort' && most > 0 && most <= 255)
    throw new Refusal(
      'its 16-bit values are all below 256, and would become black; expected 0 to 65535: multiply them by 257, or save 8 bits.',
      'format',
    )
}
