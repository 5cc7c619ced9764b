/** Numbers as people read them, at the terminal and on pages. */
import { greatest } from './numbers.ts'

/** A whole number with its thousands apart: 86,567,656. */
export const count = (number: number): string => number.toLocaleString('en-US')

/** Seconds as a clock: 0:07, 2:20, 1:02:05. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** Widths of a table's columns, in characters. */
export const columnWidths = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, column) =>
    greatest(
      rows.map(row => row[column]?.length ?? 0),
      0,
    ),
  )
