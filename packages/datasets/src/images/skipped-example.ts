/**
 * What a data set's `get` throws for an example that is to be left out instead of ending the run. The loader makes the
 * batch without it and lists it there, so that it can be counted.
 */
export class SkippedExample extends Error {
  /** Name of the error's class. */
  override readonly name = 'SkippedExample'
}
