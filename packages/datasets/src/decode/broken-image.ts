/** The one kind of error that an image file can cause, so that a run can tell it from its own. */
export class BrokenImageError extends Error {
  override readonly name = 'BrokenImageError'
  /** Path of the file, or what it is called for want of one. */
  readonly file: string

  /** @param message names the file */
  constructor(file: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.file = file
  }
}
