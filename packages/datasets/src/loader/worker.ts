/** The thread of a loader: opens the data set again, makes the batches it is asked for, in the order asked. */
import { parent } from '#threads'
import { openSource } from '../datasets/open-source.ts'
import { importBatchTransform, importTransform } from '../transforms/import-transform.ts'
import { type BatchMaker, createBatchMaker } from './batch-maker.ts'
import { cacheExamples } from './example-cache.ts'
import { transferred } from './memory.ts'
import { toSent } from './sent-error.ts'
import type { WorkerMessage, WorkerReply, WorkerRequest, WorkerSetup } from './worker-pool.ts'

let maker: Promise<BatchMaker>
let last: Promise<void>

parent.onMessage(message => {
  const { setup, request } = message as WorkerMessage
  if (setup) {
    maker = open(setup)
    // What is wrong with it is the answer to each request.
    last = maker.then(
      () => {},
      () => {},
    )
  }
  // One batch at a time: two at once would finish later, both.
  if (request) last = last.then(() => answer(request))
})

async function open({ source, transforms, batchTransforms, seed, shared, cache }: WorkerSetup): Promise<BatchMaker> {
  return createBatchMaker({
    dataset: cacheExamples(await openSource(source), cache),
    transforms: await Promise.all(transforms.map(importTransform)),
    batchTransforms: await Promise.all(batchTransforms.map(importBatchTransform)),
    seed,
    shared,
  })
}

async function answer({ memory, ...request }: WorkerRequest): Promise<void> {
  try {
    const batch = await (await maker).make(request, memory)
    reply({ batch }, transferred(batch.pixelValues.data.buffer))
  } catch (error) {
    reply({ error: toSent(error) })
  }
}

function reply(message: WorkerReply, transfer: readonly ArrayBuffer[] = []): void {
  parent.post(message, transfer)
}
