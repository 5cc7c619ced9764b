/** One process of the case: training steps with the others, in several ways. */
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { createOptimizer, trainStep } from '@vitral/trainer'
import { type Collectives, DataParallel } from '@vitral/trainer/ddp'
import { serveRank } from '../collectives/serve-rank.ts'
import type { StepKind, StepRequest, TrainRankOptions } from './protocol.ts'

/** The backward pass is one call: what waits for a promise begins after it. */
const afterBackward = (collectives: Collectives): Collectives => ({
  ...bound(collectives),
  allReduce: async values => {
    await Promise.resolve()
    await collectives.allReduce(values)
  },
})

/** As if all others had said the same as this one. */
const silent = (collectives: Collectives): Collectives => ({
  ...bound(collectives),
  allReduce: async () => {},
  broadcast: async () => {},
  allGather: async bytes => Array.from({ length: collectives.worldSize }, () => bytes),
})

function bound(collectives: Collectives): Collectives {
  const { engine, rank, worldSize } = collectives
  return {
    ...{ engine, rank, worldSize },
    allReduce: values => collectives.allReduce(values),
    broadcast: (bytes, root) => collectives.broadcast(bytes, root),
    allGather: (bytes, options) => collectives.allGather(bytes, options),
    barrier: () => collectives.barrier(),
    close: () => collectives.close(),
  }
}

class TimedDataParallel extends DataParallel {
  /** Milliseconds of the last step between the end of the backward pass and that of the sums. */
  waiting = 0

  override async reduce(...part: Parameters<DataParallel['reduce']>): ReturnType<DataParallel['reduce']> {
    const start = performance.now()
    const reduced = await super.reduce(...part)
    this.waiting = performance.now() - start
    return reduced
  }
}

await serveRank<TrainRankOptions, StepRequest>(async (collectives, { rank, threads, config, imagesEach }) => {
  await useBackend('native')
  const { setThreads } = await import('@vitral/backend-node')
  setThreads(threads)
  const model = new ViTForImageClassification(config, { seed: 1 })
  const optimizer = createOptimizer('adamw', model.parameters(), { lr: 1e-6 })
  const [height, width] = [config.imageSize].flat() as [number, number?]
  const shape: [number, number, number, number] = [imagesEach, config.numChannels, height, width ?? height]
  const batch = {
    pixelValues: {
      data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) =>
        Math.sin(i + rank),
      ),
      shape,
    },
    labels: Int32Array.from({ length: imagesEach }, (_, i) => i % config.numLabels),
  }
  const parallel = (given: Collectives) => new TimedDataParallel(given, model.parameters())
  const ways: Record<StepKind, TimedDataParallel | undefined> = {
    overlapped: parallel(collectives),
    after: parallel(afterBackward(collectives)),
    silent: parallel(silent(collectives)),
    alone: undefined,
  }
  let seed = 0
  return async ({ kind }) => {
    if (kind !== 'alone' || rank === 0) await trainStep(model, optimizer, batch, { seed: seed++, parallel: ways[kind] })
    return kind === 'silent' ? undefined : ways[kind]?.waiting
  }
})
