/** The errors of decoding: those that an image file is to blame for, so that a run can tell them, and all others. */

/**
 * Why: it is of no format that is accepted; it is larger than allowed, or takes longer to decode; or it is missing, cut off
 * or damaged.
 */
export type BrokenImageReason = 'format' | 'limit' | 'time' | 'damaged'

/** An image file that is missing, damaged or refused by a limit; a data set may skip it. */
export class BrokenImageError extends Error {
  /** Name of the error's class. */
  override readonly name = 'BrokenImageError'
  /** Path of the file, or what it is called for want of one. */
  readonly file: string
  /** What is wrong with the image. */
  readonly reason: BrokenImageReason

  /** An error of one line that names the file. @param message names the file */
  constructor(file: string, message: string, reason: BrokenImageReason, cause?: unknown) {
    super(message, { cause })
    this.file = file
    this.reason = reason
  }
}

/**
 * An image that may be whole, but could not be had this time: the disk or the network failed, too many files are open, or
 * there is no decoder. It is never left out of a run, which would lose good images.
 */
export class UnreadableImageError extends Error {
  /** Name of the error's class. */
  override readonly name = 'UnreadableImageError'
  /** Path of the file, or what it is called for want of one. */
  readonly file: string

  /** An error of one line that names the file. @param message names the file */
  constructor(file: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.file = file
  }
}
