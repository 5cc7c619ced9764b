/** Faults at the file layer: the process is gone, or the disk is full, from the n-th call on. For tests. */
import { mock } from 'bun:test'
import * as files from 'node:fs/promises'

const real = { ...files }
/** Decides what a call does; nothing lets it through. */
let fault: ((call: string) => Error | undefined) | undefined

function checked<A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) {
  return async (...args: A): Promise<R> => {
    const error = fault?.(name)
    if (error) throw error
    return call(...args)
  }
}

async function open(...args: Parameters<typeof real.open>): Promise<files.FileHandle> {
  const file = await checked('open', real.open)(...args)
  const write = file.write.bind(file) as (bytes: Uint8Array, ...where: number[]) => Promise<unknown>
  const torn = async (bytes: Uint8Array, ...where: number[]) => {
    const error = fault?.('write')
    if (!error) return write(bytes, ...where)
    await write(bytes.subarray(0, bytes.length >> 1))
    throw error
  }
  const read = checked('read', file.read.bind(file) as (...args: unknown[]) => Promise<unknown>)
  return Object.assign(file, { read, write: torn, sync: checked('sync', file.sync.bind(file)) })
}

mock.module('node:fs/promises', () => ({
  ...real,
  open,
  mkdir: checked('mkdir', real.mkdir as (...args: unknown[]) => Promise<unknown>),
  rename: checked('rename', real.rename),
  rm: checked('rm', real.rm),
}))

/**
 * Runs what writes files as if the process were killed at each of its calls in turn, and the last time not at all. A call
 * that writes has then written half.
 *
 * @param check looks at what is on the disk after each
 * @returns how many calls there are
 */
export async function killedAtEachCall(write: () => Promise<void>, check: (killed: boolean) => Promise<void>) {
  for (let at = 1; ; at++) {
    let calls = 0
    fault = () => (++calls >= at ? new Error('killed') : undefined)
    await write().catch(() => {})
    fault = undefined
    const killed = calls >= at
    await check(killed)
    if (!killed) return calls
  }
}

/** Runs with one kind of call failing as the system would, such as 'sync' with EIO. */
export async function failing(call: string, code: string, run: () => Promise<void>): Promise<void> {
  fault = name => (name === call ? Object.assign(new Error(`${code}: ${call}`), { code }) : undefined)
  await run().finally(() => {
    fault = undefined
  })
}
