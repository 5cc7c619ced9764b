/** Curves as inline SVG, with a grid of round numbers; colours are the page's. */
import { escapeHtml } from './html.ts'

export interface Curve {
  name: string
  /** Class of the path: its colour and width. */
  style: string
  points: readonly (readonly [x: number, y: number])[]
  /** Marks each point. */
  dots?: boolean
}

export interface LineChart {
  title: string
  curves: readonly Curve[]
  format: (value: number) => string
  /** The least and the largest y. @default from 0, or the least value where `fromLeast` */
  range?: readonly [number, number]
}

const size = { width: 640, height: 240 }
const plot = { left: 56, right: 628, top: 10, bottom: 212 }

/** @returns a figure; nothing when no curve has a point */
export function lineChart({ title, curves, format, range }: LineChart): string {
  const shown = curves.map(curve => ({ ...curve, points: curve.points.filter(([, y]) => Number.isFinite(y)) }))
  const points = shown.flatMap(curve => curve.points)
  if (points.length === 0) return ''
  const [fromX, toX] = extent(points.map(([x]) => x))
  const [fromY, toY] = range ?? [0, extent(points.map(([, y]) => y))[1]]
  const x = (value: number) => plot.left + ((value - fromX) / (toX - fromX || 1)) * (plot.right - plot.left)
  const y = (value: number) => plot.bottom - ((value - fromY) / (toY - fromY || 1)) * (plot.bottom - plot.top)
  const last = shown.map(({ name, points }) => `${name} ${points.length > 0 ? format(points.at(-1)?.[1] ?? 0) : '–'}`)
  const grid = roundNumbers(fromY, toY, 4).map(
    value =>
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>` +
      `<text x="${plot.left - 8}" y="${fixed(y(value) + 4)}" text-anchor="end">${escapeHtml(format(value))}</text>`,
  )
  const steps = roundNumbers(fromX, toX, 5).map(
    value =>
      `<text x="${fixed(x(value))}" y="${plot.bottom + 20}" text-anchor="middle">${value.toLocaleString('en-US')}</text>`,
  )
  const paths = shown.map(({ style, points, dots }) => {
    const places = points.map(([px, py]) => [fixed(x(px)), fixed(y(py))] as const)
    const path = `<path class="${style}" d="M${places.map(place => place.join(' ')).join('L')}"/>`
    const marks = dots ? places.map(([cx, cy]) => `<circle class="${style}" cx="${cx}" cy="${cy}" r="3"/>`) : []
    return points.length > 0 ? [path, ...marks].join('') : ''
  })
  const legend = shown.map(({ style, name }) => `<span class="${style}">${escapeHtml(name)}</span>`)
  return [
    `<figure><figcaption><strong>${escapeHtml(title)}</strong> ${legend.join(' ')}</figcaption>`,
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(`${title}: ${last.join(', ')}`)}">`,
    ...grid,
    ...steps,
    ...paths,
    '</svg></figure>',
  ].join('\n')
}

/** At most `most` points, each the mean of its neighbours. */
export function thin(points: readonly (readonly [number, number])[], most: number): [x: number, y: number][] {
  const width = Math.ceil(points.length / most)
  if (width <= 1) return points.map(([x, y]) => [x, y])
  return Array.from({ length: Math.ceil(points.length / width) }, (_, i) => {
    const part = points.slice(i * width, (i + 1) * width)
    return [part.at(-1)?.[0] ?? 0, part.reduce((total, [, y]) => total + y, 0) / part.length]
  })
}

/** About `wanted` multiples of 1, 2 or 5 times a power of ten, from `low` to `high`. */
export function roundNumbers(low: number, high: number, wanted: number): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const numbers = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: numbers }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

const extent = (values: readonly number[]): [number, number] =>
  values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )

const fixed = (value: number): string => value.toFixed(1)
