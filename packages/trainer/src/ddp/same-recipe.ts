/** Processes that train together must compute the same: what they were started with is compared before they begin. */
import { getBackend } from '@tensorflow/tfjs-core'
import type { Recipe } from '../recipe.ts'
import { differingFields } from '../run-folder.ts'
import type { Collectives } from './collectives.ts'

/** @throws in every process, naming the first rank that differs from rank 0 and the fields of the recipe in which it does */
export async function requireSameRecipe(collectives: Collectives, recipe: Recipe): Promise<void> {
  if (collectives.worldSize === 1) return
  const own = { recipe, backend: getBackend() }
  const all = await collectives.allGather(new TextEncoder().encode(JSON.stringify(own)))
  const [first, ...others] = all.map(bytes => JSON.parse(new TextDecoder().decode(bytes)) as typeof own)
  for (const [i, other] of others.entries()) {
    const differing = differingFields(other, first as typeof own)
    if (differing.length > 0)
      throw new Error(
        `Rank ${i + 1} was started with something else than rank 0: ${differing.map(({ key, before, now }) => `${key} is ${now}, of rank 0 ${before}`).join('; ')}. Start all with the same recipe and options.`,
      )
  }
}
