/**
 * One JSON object a line on the standard output; so many a second at most, and none while nobody reads: what floods the
 * server with errors, or a pipe that is blocked, must not slow it or fill its memory. What was left out is counted.
 */
import { jsonLine } from '@vitral/core/text'

type Level = 'info' | 'error'

let linesPerSecond = 1000
let [second, written, leftOut] = [0, 0, 0]
let isBlocked = false

/** @param lines written in a second at most */
export function limitLog(lines: number): void {
  linesPerSecond = lines
}

const waiting: (() => void)[] = []

/** Writes a line once what is at hand is done, as an answer on its way, or before the next line that cannot wait. */
export function logSoon(...line: Parameters<typeof log>): void {
  if (waiting.push(() => write(...line)) === 1) setImmediate(writeWaiting)
}

function writeWaiting(): void {
  for (const write of waiting.splice(0)) write()
}

export function log(level: Level, message: string, fields: Record<string, unknown> = {}): void {
  writeWaiting()
  write(level, message, fields)
}

/** Unless there are too many, which are counted. */
function write(level: Level, message: string, fields: Record<string, unknown> = {}): void {
  const now = Math.floor(performance.now() / 1000)
  if (now !== second) [second, written] = [now, 0]
  if (isBlocked || written >= linesPerSecond) {
    leftOut++
    return
  }
  if (leftOut > 0) {
    const lines = leftOut
    leftOut = 0
    print('error', 'log_lines_left_out', { lines })
  }
  written++
  print(level, message, fields)
}

function print(level: Level, message: string, fields: Record<string, unknown>): void {
  const line = jsonLine({ time: new Date().toISOString(), level, message, ...fields })
  if (process.stdout.write(`${line}\n`)) return
  isBlocked = true
  process.stdout.once('drain', () => {
    isBlocked = false
  })
}
