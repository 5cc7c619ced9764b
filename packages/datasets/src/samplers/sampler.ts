/** What every sampler returns: the order of the examples, a pure function of the epoch, so that every process computes the same. */

export interface Order {
  /** Indices into the data set. */
  indices: Int32Array
  /**
   * For each of them how often the example came before in the epoch, in all processes together: copies of an image are
   * augmented by chances of their own. Without it no example comes twice.
   */
  repeats?: Int32Array
}

/** Order of the examples in each epoch. */
export interface Sampler {
  /** Says all that decides the order: a run that is resumed goes on only with the sampler it was started with. */
  readonly name: string
  /** Examples in an epoch. */
  readonly length: number
  /** The order of an epoch's examples. @param epoch 0 for the first */
  order(epoch: number): Order
}
