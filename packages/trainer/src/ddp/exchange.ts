/** A few numbers that every process tells every other: counts, losses, wishes to stop. */
import type { Collectives } from './collectives.ts'

/** @returns everyone's numbers, by rank; float64 */
export async function exchange(collectives: Collectives, numbers: readonly number[]): Promise<number[][]> {
  const all = await collectives.allGather(new Uint8Array(Float64Array.from(numbers).buffer))
  return all.map(bytes => [...new Float64Array(bytes.slice().buffer)])
}

/** Whether any process says so. */
export async function anyOf(collectives: Collectives, says: boolean): Promise<boolean> {
  if (collectives.worldSize === 1) return says
  return (await exchange(collectives, [Number(says)])).some(([said]) => said !== 0)
}
