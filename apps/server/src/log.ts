/**
 * The log: one JSON object a line on the standard output. Lines are limited by rate, and dropped while the reader is blocked, so
 * that neither a flood of errors nor a full pipe slows the server or fills its memory. Dropped lines are counted.
 */
import { jsonLine } from '@vitral/core/text'

type Level = 'info' | 'error'

let linesPerSecond = 1000
let [second, written, leftOut] = [0, 0, 0]
let isBlocked = false

/** @param lines largest number of lines a second */
export function limitLog(lines: number): void {
  linesPerSecond = lines
}

const waiting: (() => void)[] = []

/** Logs after the current work, such as sending an answer, or right before the next line of `log`. */
export function logSoon(...line: Parameters<typeof log>): void {
  if (waiting.push(() => write(...line)) === 1) setImmediate(writeWaiting)
}

function writeWaiting(): void {
  for (const write of waiting.splice(0)) write()
}

/** Logs at once, after all lines of `logSoon` that wait. */
export function log(level: Level, message: string, fields: Record<string, unknown> = {}): void {
  writeWaiting()
  write(level, message, fields)
}

/** Writes a line, or counts it if there are too many. */
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
