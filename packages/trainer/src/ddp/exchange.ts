/** A few numbers that every process tells every other: counts, losses, wishes to stop. */
import type { Collectives } from './collectives.ts'

/**
 * @param options.equal whether all tell as many
 * @returns everyone's numbers, by rank; float64
 */
export async function exchange(
  collectives: Collectives,
  numbers: readonly number[],
  { equal = true }: { equal?: boolean } = {},
): Promise<number[][]> {
  const all = await collectives.allGather(new Uint8Array(Float64Array.from(numbers).buffer), { equal })
  return all.map(bytes => [...new Float64Array(bytes.slice().buffer)])
}

/**
 * Waits for what every process does before the others need it, such as a download, however long it takes: they tell each
 * other each second that they are there.
 *
 * @throws what this one's work throws; and when another process has ended
 */
export async function together<T>(collectives: Collectives, work: Promise<T>): Promise<T> {
  for (let done = false; collectives.worldSize > 1; ) {
    done = (await Promise.race([work.then(() => true), sleep(tellEvery).then(() => false)])) || done
    if (!(await anyOf(collectives, !done))) break
  }
  return await work
}

/** Milliseconds. */
const tellEvery = 1000

/** Keeps no process alive. */
const sleep = (milliseconds: number): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds) as number | { unref(): void }
    if (typeof timer === 'object') timer.unref()
  })

/** Whether any process says so. */
export async function anyOf(collectives: Collectives, says: boolean): Promise<boolean> {
  if (collectives.worldSize === 1) return says
  return (await exchange(collectives, [Number(says)])).some(([said]) => said !== 0)
}
