/** Describes a model folder in a worker process: its JSON files are untrusted, and may be huge. */
import { fileURLToPath } from 'node:url'
import type { LoadedDescription } from '../workers/protocol.ts'
import { WorkerProcess } from '../workers/worker-process.ts'
import type { VersionOptions } from './model-version.ts'

const MODULE = fileURLToPath(new URL('../workers/process/describe.ts', import.meta.url))
/** Milliseconds for reading two small files. */
const TIMEOUT = 10_000

/** @returns undefined if the files cannot be read, or not in time; loading the folder reports why */
export async function describeInWorker({
  model: { folder, backend, precision },
  engine,
  signal,
}: VersionOptions): Promise<LoadedDescription | undefined> {
  let workerProcess: WorkerProcess | undefined
  try {
    workerProcess = await WorkerProcess.start({ module: MODULE, timeout: engine.loadTimeout, signal })
    return (await workerProcess.call('describe', { folder, backend, precision }, [], TIMEOUT)).reply
  } catch {
    return undefined
  } finally {
    workerProcess?.kill('its work is done')
  }
}
