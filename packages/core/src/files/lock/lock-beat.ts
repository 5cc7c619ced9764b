/**
 * The content of a lock's file: whether its process has the lock or only wants it, and a count that shows it lives. Both
 * overwrite the file in place, which needs no room on a full disk, and fails where the file is gone.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

const stateLength = 5

export function writeBeat(path: string, state: 'wants' | 'has', beat: number): void {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, `${state.padEnd(stateLength)} ${String(beat).padStart(15)}\n`, 0)
  } finally {
    closeSync(file)
  }
}

/** @returns '' where its process has not come to write yet */
export const stateOfBeat = (content: string): string => content.slice(0, stateLength).trim()

/**
 * What the renewing thread runs. It is a text, so that a program in one bundled file has it too. An error is nothing to
 * end for: a disk that does not answer now may at the next time, and a lock that was taken over is its holder's to notice.
 */
const renewal = `
const { closeSync, openSync, writeSync } = require('node:fs')
const { path, seconds } = require('node:worker_threads').workerData
let beat = 0
setInterval(() => {
  try {
    const file = openSync(path, 'r+')
    try {
      writeSync(file, String(++beat).padStart(15), ${stateLength + 1})
    } finally {
      closeSync(file)
    }
  } catch {}
}, seconds * 1000)`

/** Counts on in a thread of its own, since a step of training may keep the main thread busy for longer than a lease. */
export function renewing(path: string, seconds: number): Worker {
  const worker = new Worker(renewal, { eval: true, workerData: { path, seconds }, execArgv: [] })
  worker.unref()
  return worker
}
