/** The one kind of error that an image file can cause, so that a run can tell it from its own. */

/** Why: it is of no format that is accepted; it passes a limit on its size; or it is cut off, damaged or not to be read. */
export type BrokenImageReason = 'format' | 'limit' | 'damaged'

export class BrokenImageError extends Error {
  override readonly name = 'BrokenImageError'
  /** Path of the file, or what it is called for want of one. */
  readonly file: string
  readonly reason: BrokenImageReason

  /** @param message names the file */
  constructor(file: string, message: string, reason: BrokenImageReason, cause?: unknown) {
    super(message, { cause })
    this.file = file
    this.reason = reason
  }
}
