/**
 * How often a JPEG file goes over its image. A scan of forty bytes is decoded over all of it, and no time limit interrupts
 * the decoder between scans: a file of one megabyte can take a minute.
 */

/** Cameras write one, progressive files about ten. */
export const mostScans = 100

const RESTARTS = { first: 0xd0, last: 0xd7 }
const [START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN] = [0xd8, 0xd9, 0xda]

/** Steps between two looks at the clock: some tenths of a millisecond. */
const stepsPerLook = 2 ** 16

/**
 * Counts no further than `mostScans + 1`; what follows the image's end, as a video does, is no part of it.
 *
 * @param isLate asked now and then, as a file may consist of markers
 * @returns more than `mostScans` as well when it is late
 */
export function countScans(bytes: Uint8Array, isLate: () => boolean = () => false): number {
  let count = 0
  let steps = 0
  for (let at = bytes.indexOf(0xff); at >= 0 && count <= mostScans; at = bytes.indexOf(0xff, at)) {
    if (++steps % stepsPerLook === 0 && isLate()) return Infinity
    const marker = bytes[++at]
    if (marker === undefined || marker === END_OF_IMAGE) break
    if (marker <= 1 || marker === 0xff || marker === START_OF_IMAGE) continue // a stuffed byte, or filling
    if (marker >= RESTARTS.first && marker <= RESTARTS.last) continue
    if (marker === START_OF_SCAN) count++
    // Over the segment, whose length counts its own two bytes.
    at += 1 + (((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0))
  }
  return count
}
