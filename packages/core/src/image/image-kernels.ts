/**
 * The loops over an image's bytes that preparing images spends its time in, as one table: data sets have it in plain
 * TypeScript, and a backend may have it native.
 *
 * Every table gives the same bytes, those of PIL: which one is used is a matter of speed alone. Each function fills its
 * last argument, which is of the size that the others say and not the source; their values have been checked.
 */

/** Row by row, the channels of a pixel together. */
export type ImageBytes = Uint8Array | Uint8ClampedArray

/** Table of the loops over image bytes; see the head of this file. */
export interface ImageKernels {
  /** See resizeImage; the filter is one of `interpolations`, by its index, and not the nearest. */
  resizeImage(
    ...args: [...Shape, source: ImageBytes, newHeight: number, newWidth: number, filter: number, output: Uint8Array]
  ): void
  /** Mirrors left and right. */
  flipRows(...args: [...Shape, source: ImageBytes, output: Uint8Array]): void
  /**
   * Draws the image anew from where the map leads, from the output's point (x, y) to the source's
   * (a·x + b·y + c, d·x + e·y + f): the pixel there, found by steps in 16.16 fixed point. What comes from outside the
   * source stays as the output has it.
   */
  projectNearest(...args: Projection): void
  /** The same with steps in double precision. */
  projectNearestInFloat(...args: Projection): void
  /** The same with exact positions, and four neighbours mixed. */
  projectBilinear(...args: Projection): void
  /** Each byte becomes grey + share · (byte − grey), in single precision, cut to a byte. */
  blendWithGrey(size: number, source: ImageBytes, grey: number, share: number, output: Uint8Array): void
  /** The same blend, with each RGB pixel's luma as its grey. */
  blendWithLuma(pixels: number, source: ImageBytes, share: number, output: Uint8Array): void
  /** Luma of RGB, one byte for each pixel: ITU-R 601-2. */
  luma(pixels: number, source: ImageBytes, output: Uint8Array): void
  /** Sum of the pixels' luma. */
  lumaSum(pixels: number, source: ImageBytes): number
  /** Shifts the hue of RGB, in HSV of bytes, around its circle of 256: from −255 to 255. */
  adjustHue(pixels: number, source: ImageBytes, shift: number, output: Uint8Array): void
  /** [pixels, channels] → [channels, pixels], each byte through its channel's 256 entries of the table. */
  applyLut(pixels: number, channels: number, source: ImageBytes, table: Float32Array, output: Float32Array): void
}

type Shape = [height: number, width: number, channels: number]
type Projection = [
  ...Shape,
  source: ImageBytes,
  ...map: [a: number, b: number, c: number, d: number, e: number, f: number],
  output: Uint8Array,
]
