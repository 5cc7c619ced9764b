/** What a folder's JSON files say of its model, read by a process of its own: they are strangers', and may be endless. */
import { fileURLToPath } from 'node:url'
import type { Header } from '../ipc/framing.ts'
import type { LoadedDescription } from '../workers/model-calls.ts'
import { Child } from '../workers/worker-process.ts'
import type { VersionOptions } from './model-version.ts'

const MODULE = fileURLToPath(new URL('../workers/process/describe.ts', import.meta.url))
/** Milliseconds for reading two small files. */
const TIMEOUT = 10_000

/** @returns undefined where the files cannot be read, or not in time: whoever loads the folder says why */
export async function describeInChild({
  model: { folder, backend, precision },
  engine,
  signal,
}: VersionOptions): Promise<LoadedDescription | undefined> {
  let child: Child | undefined
  try {
    child = await Child.start({ module: MODULE, timeout: engine.loadTimeout, signal })
    const { header } = await child.call('describe', { folder, backend, precision } satisfies Header, [], TIMEOUT)
    return header.description as LoadedDescription
  } catch {
    return undefined
  } finally {
    child?.kill('it has said what it was asked')
  }
}
