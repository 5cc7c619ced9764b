/** An image's bytes as every part takes them, and the one check that they are what they are said to be. */

/** Bytes of an image, row by row, the channels of a pixel together. */
export interface RawImage {
  /** height · width · channels bytes, from 0 to 255. */
  data: Uint8Array | Uint8ClampedArray
  /** Pixels. */
  width: number
  /** Pixels. */
  height: number
  /** Values of a pixel: 1 for grey, 3 for RGB. */
  channels: number
}

/** What turns an array's values into bytes, where that can be said. */
const scaling: Readonly<Record<string, string>> = {
  Float32Array: 'multiply values from 0 to 1 by 255 and round',
  Float64Array: 'multiply values from 0 to 1 by 255 and round',
  Uint16Array: 'divide values of 16 bits by 257 and round',
}

/**
 * Refuses an image whose size does not fit its bytes.
 *
 * @throws when the data are no bytes, or do not have the size that width, height and channels say.
 */
export function checkImage(image: RawImage): void {
  const { data, width, height, channels } = image
  // The name and not the class: another realm, such as a worker's or a frame's, has classes of its own.
  const kind = Object.prototype.toString.call(data).slice(8, -1)
  if (kind !== 'Uint8Array' && kind !== 'Uint8ClampedArray')
    throw new Error(
      `An image's data are ${/^[AEIOU](?!int)/.test(kind) ? 'an' : 'a'} ${kind}; expected a Uint8Array, bytes from 0 to 255: ${scaling[kind] ?? 'convert them'} before.`,
    )
  if (data.length !== width * height * channels || data.length === 0)
    throw new Error(
      `An image of ${width}×${height} pixels and ${channels} channels has ${data.length} bytes; expected ${width * height * channels}, and more than none.`,
    )
}
