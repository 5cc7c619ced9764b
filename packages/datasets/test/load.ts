/** Takes all batches of an epoch from a loader. */
import { createLoader, type EpochOptions, type Loader, type LoaderOptions } from '../src/loader/loader.ts'
import type { Batch, Dataset } from '../src/types.ts'

/** The pixel values are copied, since a ring's do not last. */
export async function gather(loader: Loader, from?: EpochOptions): Promise<Batch[]> {
  const batches: Batch[] = []
  for await (const batch of loader.batches(from)) {
    const { data, shape } = batch.pixelValues
    batches.push({ ...batch, pixelValues: { data: data.slice(), shape } })
  }
  return batches
}

/** Closes the loader, too. */
export async function load(dataset: Dataset, options: LoaderOptions, from: EpochOptions = {}): Promise<Batch[]> {
  const loader = createLoader(dataset, options)
  try {
    return await gather(loader, from)
  } finally {
    await loader.close()
  }
}

/** Not `expect(…).rejects`: Bun waits there without reading the messages that come from the same worker. */
export const errorOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'no error', String)
