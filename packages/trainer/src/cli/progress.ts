/** What a waiting person sees: one line that fits the terminal and rewrites itself, or plain lines where there is none. */

import { printable, printableLines } from '@vitral/core/text'
import { duration } from '../format.ts'

/** The part of a stream such as process.stderr that is used. */
export interface ProgressStream {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export interface ProgressState {
  title: string
  /** What is counted. @default 'images' */
  unit?: string
  done: number
  total: number
  loss?: number
  /** What else is to be known, in a few words. */
  note?: string
}

export interface Progress {
  update(state: ProgressState): void
  /** A line that stays. */
  say(line: string): void
  /** Runs what writes to the terminal elsewhere, the rewritten line out of its way. */
  beside(write: () => void): void
  /** Ends the rewritten line, and starts the clock anew for the next. */
  end(): void
}

export interface ProgressOptions {
  stream?: ProgressStream
  /** Milliseconds. */
  now?: () => number
  /** @default process.env */
  env?: Record<string, string | undefined>
}

/** Milliseconds between two updates: often enough to look alive, or rarely enough to keep a log short. */
const interval = { terminal: 100, plain: 10_000 }

/** Logs of continuous integration keep what is rewritten, and a dumb terminal cannot rewrite; some call themselves terminals. */
const rewrites = ({ isTTY }: ProgressStream, { CI, TERM }: Record<string, string | undefined>): boolean =>
  isTTY === true && TERM !== 'dumb' && (CI === undefined || CI === '' || CI === 'false')

/**
 * A progress line: title, bar, images, loss, images per second, time left.
 *
 * @example
 * const progress = createProgress()
 * progress.update({ title: 'epoch 1/5', done: 6400, total: 50000, loss: 2.1 })
 * // epoch 1/5 ██▋                          12%  6400/50000 images  loss 2.1000  310 images/s  2:20 left
 *
 * It has no colours, so NO_COLOR changes nothing.
 */
export function createProgress({
  stream = process.stderr,
  now = Date.now,
  env = process.env,
}: ProgressOptions = {}): Progress {
  const terminal = rewrites(stream, env)
  /** Asked each time, since a terminal's size changes; one that does not know its own says 0. The last column stays free. */
  const width = () => (stream.columns || 80) - 1
  /** The first update: the speed is measured from there, so that a resumed run does not count what it did before. */
  let first: { time: number; done: number } | undefined
  let shown: number | undefined
  let line = ''
  const clear = () => {
    if (terminal && line) stream.write('\r\x1b[2K')
  }
  const beside = (write: () => void) => {
    clear()
    write()
    if (terminal && line) stream.write(line.slice(0, width()))
  }
  return {
    update(state) {
      const time = now()
      first ??= { time, done: state.done }
      shown ??= terminal ? Number.NEGATIVE_INFINITY : time
      if (time - shown < (terminal ? interval.terminal : interval.plain)) return
      shown = time
      const speed = time > first.time ? ((state.done - first.done) / (time - first.time)) * 1000 : 0
      line = progressLine(state, speed, terminal ? width() : undefined)
      stream.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`)
    },
    say: text => beside(() => stream.write(`${printableLines(text)}\n`)),
    beside,
    end() {
      clear()
      line = ''
      first = undefined
      if (terminal) shown = undefined
    },
  }
}

/**
 * @param speed per second; 0 when it is not known yet
 * @param width columns to fit, bar included; without it no bar and no limit
 */
export function progressLine(state: ProgressState, speed: number, width?: number): string {
  const { unit = 'images', done, total, loss, note } = state
  const title = printable(state.title) // the name of a file, at times
  const share = total === 0 ? 1 : done / total
  const facts = [`${String(Math.floor(share * 100)).padStart(3)}%`, `${done}/${total} ${unit}`]
  if (loss !== undefined) facts.push(`loss ${loss.toFixed(4)}`)
  if (note) facts.push(note)
  if (speed > 0) facts.push(`${speed < 10 ? speed.toFixed(1) : Math.round(speed)} ${unit}/s`)
  if (speed > 0 && done < total) facts.push(`${duration((total - done) / speed)} left`)
  if (width === undefined) return `${title}  ${facts.join('  ').trim()}`
  const text = joinFitting(facts, width - title.length - 1)
  const barWidth = Math.min(30, width - title.length - text.length - 2)
  const bar = barWidth >= 5 ? `${drawBar(share, barWidth)} ` : ''
  return `${title} ${bar}${text}`.slice(0, Math.max(0, width))
}

/** Leaves out whole facts: half a number would be another one. */
const joinFitting = (facts: readonly string[], width: number): string =>
  facts.reduce((text, fact) => (text.length + 2 + fact.length <= width ? `${text}  ${fact}` : text))

/** A bar with eighths of a column. */
function drawBar(share: number, width: number): string {
  const eighths = Math.round(share * width * 8)
  const part = eighths % 8 === 0 ? '' : ' ▏▎▍▌▋▊▉'.charAt(eighths % 8)
  return `${'█'.repeat(Math.floor(eighths / 8))}${part}`.padEnd(width)
}
