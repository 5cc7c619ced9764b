/** Which gradients are sent together. */

export interface Bucket {
  names: readonly string[]
  /** Numbers in it. */
  size: number
  /** It is one gradient, which need not be copied to be sent. */
  isLarge: boolean
  /** How many of its gradients have not come in this step. */
  missing: number
  values?: Float32Array
}

const floatBytes = Float32Array.BYTES_PER_ELEMENT
const largestBucket = 25 * 2 ** 20
const smallestBucket = 64 * 2 ** 10
/** From here on a message of its own costs less than a copy. */
const largeGradient = 2 ** 20

/**
 * Fills buckets in an order; a bucket's place is that of its last gradient.
 *
 * @param order all names, in the order in which the gradients come
 * @param sizes how many numbers each has
 * @param bucketBytes largest size of a bucket of several, by default 25 MB; of a small model an eighth, so that its sending
 *   too begins before the backward pass has ended
 */
export function planBuckets(
  order: readonly string[],
  sizes: ReadonlyMap<string, number>,
  bucketBytes: number = defaultBytes(sizes),
): Bucket[] {
  const large = Math.min(largeGradient, bucketBytes)
  const buckets: Bucket[] = []
  let names: string[] = []
  let size = 0
  let place = 0
  const close = (): void => {
    if (names.length > 0) buckets.splice(place, 0, { names, size, isLarge: false, missing: names.length })
    names = []
    size = 0
  }
  for (const name of order) {
    const own = sizes.get(name) as number
    if (own * floatBytes >= large) {
      buckets.push({ names: [name], size: own, isLarge: true, missing: 1 })
      continue
    }
    if ((size + own) * floatBytes > bucketBytes) close()
    names.push(name)
    size += own
    place = buckets.length
  }
  close()
  return buckets
}

function defaultBytes(sizes: ReadonlyMap<string, number>): number {
  const total = [...sizes.values()].reduce((sum, size) => sum + size * floatBytes, 0)
  return Math.min(largestBucket, Math.max(smallestBucket, total / 8))
}
