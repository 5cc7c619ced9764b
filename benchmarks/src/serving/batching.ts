/** What it brings to compute images together, and to wait for others to compute them with. */
import { quantile } from '../statistics.ts'
import { sendAll, warmServer } from './load.ts'
import { ServerProcess } from './server-process.ts'

export interface BatchingRow {
  maxBatchSize: number
  /** Milliseconds. */
  maxDelay: number
  perSecond: number
  /** Milliseconds of the answers. */
  median: number
  p99: number
}

const sizes = [1, 4, 8, 16]
const delays = [0, 2, 5]

/** A server for each pair, one after the other. */
export async function measureBatching(
  modelFolder: string,
  image: Uint8Array,
  { images, clients }: { images: number; clients: number },
): Promise<BatchingRow[]> {
  const rows: BatchingRow[] = []
  for (const maxBatchSize of sizes)
    for (const maxDelay of delays) {
      const server = await ServerProcess.startVitral(modelFolder, { maxBatchSize, maxDelay })
      try {
        await warmServer(server.url, image, images / 4, clients)
        const start = performance.now()
        const times = await sendAll(server.url, image, images, clients)
        const perSecond = (1000 * images) / (performance.now() - start)
        rows.push({ maxBatchSize, maxDelay, perSecond, median: quantile(times, 0.5), p99: quantile(times, 0.99) })
      } finally {
        await server.stop()
      }
    }
  return rows
}
