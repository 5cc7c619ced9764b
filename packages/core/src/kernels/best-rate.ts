/** How fast a processor multiplies and adds. */

/**
 * The rate in GFLOP/s: the best of a few short bursts.
 *
 * @param milliseconds what so many operations take
 * @param threads that share them
 */
export function bestRate(milliseconds: (operations: number) => number, threads: number): number {
  const rate = (operations: number) => operations / milliseconds(operations) / 1e6
  rate(threads * 1e8) // wakes the threads, and lets the clock settle and an engine compile
  return Array.from({ length: 5 }, () => rate(threads * 1e9)).reduce((best, next) => Math.max(best, next))
}
