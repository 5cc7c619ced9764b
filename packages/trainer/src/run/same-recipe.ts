/** Processes that train together must compute the same: what they were started with is compared before they begin. */
import { getBackend } from '@tensorflow/tfjs-core'
import type { TrainingData } from '../data/training-data.ts'
import type { Collectives } from '../ddp/collectives.ts'
import type { Recipe } from '../recipe/types.ts'
import { differingFields } from './folder.ts'

/** @throws in every process, naming the first rank that differs from rank 0 and the fields of the recipe in which it does */
export async function requireSameRecipe(collectives: Collectives, recipe: Recipe): Promise<void> {
  const differing = await difference(collectives, { recipe, backend: getBackend() })
  if (differing)
    throw new Error(
      `Rank ${differing.rank} was started with something else than rank 0: ${differing.fields}. Start all with the same recipe and options.`,
    )
}

/** @throws as `requireSameRecipe`, where another process has other images or classes: it would train on other batches */
export async function requireSameData(
  collectives: Collectives,
  { plan, labels, trainImages, evaluationImages, test }: TrainingData,
): Promise<void> {
  const own = { trainImages, evaluationImages, testImages: test?.images, plan, class: { ...labels } }
  const differing = await difference(collectives, own)
  if (differing)
    throw new Error(
      `Rank ${differing.rank} has other data than rank 0: ${differing.fields}. Give every machine the same copy of the data set.`,
    )
}

/** Describes the first rank that differs from rank 0. */
async function difference(
  collectives: Collectives,
  own: object,
): Promise<{ rank: number; fields: string } | undefined> {
  if (collectives.worldSize === 1) return undefined
  const all = await collectives.allGather(new TextEncoder().encode(JSON.stringify(own)))
  const [first = {}, ...others] = all.map(bytes => JSON.parse(new TextDecoder().decode(bytes)) as object)
  for (const [i, other] of others.entries()) {
    const fields = differingFields(other, first)
    if (fields.length === 0) continue
    return {
      rank: i + 1,
      fields: fields.map(({ key, before, now }) => `${key} is ${now}, of rank 0 ${before}`).join('; '),
    }
  }
  return undefined
}
