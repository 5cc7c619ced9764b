/** A data set's inspection as a person at the terminal reads it. */
import { printable } from '@vitral/core/text'
import type { DataReport, SplitReport } from '../data/inspect.ts'
import { columnWidths } from '../format.ts'
import { greatest } from '../numbers.ts'

/** Longer lists are cut; `--json` has them whole. */
const most = 10

export function describeData(dataset: string, path: string, { splits, duplicates, notes }: DataReport): string {
  const total = splits.reduce((sum, { count }) => sum + count, 0)
  const broken = splits.flatMap(split => split.broken)
  const ignored = [...new Set(splits.flatMap(split => split.ignored))]
  return [
    `${path}: ${dataset}, ${total} images`,
    ...splits.flatMap(describeSplit),
    ...(notes.length > 0 ? ['', ...notes] : []),
    ...section('broken', broken.length, broken, ({ reason }) => [reason]),
    ...section('ignored: no images by their names, or in no class', ignored.length, ignored, file => [file]),
    ...describeDuplicates(duplicates),
  ].join('\n')
}

function describeSplit({ name, count, classes, sizes }: SplitReport): string[] {
  const usual = [...classes].sort((a, b) => b.count - a.count)
  // Among many classes, those with most and fewest images tell whether they are balanced.
  const half = most / 2
  const cut = usual.length > 2 * most
  const shown = cut ? [...usual.slice(0, half), ...usual.slice(-half)] : classes
  const rows = shown.map(({ name, count }) => ({ name: printable(name), count }))
  const bars = drawBars(rows)
  if (cut) bars.splice(half, 0, `    … ${usual.length - most} more classes …`)
  return [
    `\n${name}: ${count} images in ${classes.length} classes`,
    ...bars,
    `  sizes${sizes.length > most ? ', by the shorter side' : ''}`,
    ...drawBars(sizes.length > most ? byShorterSide(sizes) : sizes.map(sizeRow)),
  ]
}

const sizeRow = ({ width, height, count }: SplitReport['sizes'][number]): Row => ({ name: `${width}×${height}`, count })

/** Ranges that double, from the one with the smallest image to the one with the largest. */
function byShorterSide(sizes: SplitReport['sizes']): Row[] {
  const ranges = new Map<number, number>()
  for (const { width, height, count } of sizes) {
    const power = Math.floor(Math.log2(Math.min(width, height)))
    ranges.set(power, (ranges.get(power) ?? 0) + count)
  }
  return [...ranges.keys()]
    .sort((a, b) => a - b)
    .map(power => ({ name: `${2 ** power} to ${2 ** (power + 1) - 1}`, count: ranges.get(power) as number }))
}

interface Row {
  name: string
  count: number
}

function drawBars(rows: readonly Row[]): string[] {
  const [width = 0, digits = 0] = columnWidths(rows.map(({ name, count }) => [name, String(count)]))
  const largest = greatest(
    rows.map(({ count }) => count),
    1,
  )
  return rows.map(({ name, count }) => {
    const bar = '█'.repeat(Math.ceil((count / largest) * 30))
    return `    ${name.padEnd(width)}  ${String(count).padStart(digits)}  ${bar}`.trimEnd()
  })
}

function describeDuplicates(groups: DataReport['duplicates']): string[] {
  const across = groups.filter(group => new Set(group.map(({ split }) => split)).size > 1)
  const contradicting = groups.filter(group => new Set(group.map(({ label }) => label)).size > 1)
  const facts = [
    ...(across.length > 0 ? [`${across.length} in more than one split`] : []),
    ...(contradicting.length > 0 ? [`${contradicting.length} with different labels`] : []),
  ]
  const title = `images that are there more than once${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`
  // The worst first: what is in training and test, or has two labels.
  const worst = [...new Set([...across, ...contradicting, ...groups])]
  return section(title, groups.length, worst, group =>
    group
      .slice(0, most)
      .map(({ example, split, label }, i) => `${i === 0 ? '' : '  = '}${example} (${split}, ${printable(label)})`),
  )
}

function section<T>(title: string, count: number, items: readonly T[], lines: (item: T) => string[]): string[] {
  if (count === 0) return [`\n${title}: none`]
  const rest = items.length > most ? [`  … and ${items.length - most} more; --json lists them`] : []
  return [
    `\n${title}: ${count}`,
    ...items.slice(0, most).flatMap(item => lines(item).map(line => `  ${printable(line)}`)),
    ...rest,
  ]
}
