/** Prefetch: work that is begun before its turn and taken in order, as decoding runs outside of JavaScript's thread. */

/** Enough for every decoder, and few enough for the files and pixels that are open at once. */
const usualAhead = 16

/**
 * @param begin the work of one place, from 0 to `count`
 * @param ahead so many are under way at a time. @default 16
 * @returns what gives the results in their order, one at each call; what is wrong with one is thrown at its turn
 */
export function prefetch<T>(
  count: number,
  begin: (place: number) => T | Promise<T>,
  ahead: number = usualAhead,
): () => T | Promise<T> {
  const queue: (T | Promise<T>)[] = []
  let begun = 0
  return () => {
    while (begun < count && queue.length < ahead) queue.push(outcomeOf(begin, begun++))
    return queue.shift() as T | Promise<T>
  }
}

function outcomeOf<T>(begin: (place: number) => T | Promise<T>, place: number): T | Promise<T> {
  let outcome: T | Promise<T>
  try {
    outcome = begin(place)
  } catch (error) {
    outcome = Promise.reject(error)
  }
  if (outcome instanceof Promise) outcome.catch(() => {}) // reported when its turn comes
  return outcome
}
