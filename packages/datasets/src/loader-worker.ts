/** The thread of a loader: opens the data set again, makes the batches it is asked for, in the order asked. */
import { parentPort, workerData } from 'node:worker_threads'
import { createBatchMaker } from './batch-maker.ts'
import { openSource } from './dataset-sources.ts'
import { createBatchTransform } from './transforms/batch/create-batch-transform.ts'
import { createTransform } from './transforms/create-transform.ts'
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-pool.ts'

const { source, transforms, batchTransforms, seed } = workerData as WorkerSetup
const maker = createBatchMaker(openSource(source), {
  transforms: transforms.map(createTransform),
  batchTransforms: batchTransforms.map(createBatchTransform),
  seed,
})
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (message: WorkerRequest) => {
  // One batch at a time: two at once would finish later, both.
  last = last.then(() => answer(message))
})

async function answer({ id, request }: WorkerRequest): Promise<void> {
  try {
    const batch = await maker.make(request)
    reply({ id, batch }, [batch.pixelValues.data.buffer as ArrayBuffer])
  } catch (error) {
    reply({ id, error: (error as Error).message })
  }
}

function reply(message: WorkerReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}
