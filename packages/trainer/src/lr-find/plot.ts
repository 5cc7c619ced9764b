/** The curve of a range test as an SVG file of its own, for light and dark pages. */
import { greatest, least } from '../numbers.ts'
import type { LrFindResult } from './lr-find.ts'

const size = { width: 720, height: 420 }
const plot = { left: 64, right: 700, top: 20, bottom: 372 }

const style = `
  svg { font: 13px system-ui, sans-serif; color: #22201d; background: #fff }
  text { fill: currentColor } .grid { stroke: #8886; } path { fill: none; stroke-linejoin: round }
  .raw { stroke: #1f6feb; opacity: .35 } .smooth { stroke: #1f6feb; stroke-width: 2 } .mark { stroke: #c2410c; stroke-dasharray: 4 4 }
  @media (prefers-color-scheme: dark) { svg { color: #ecebe8; background: #16171a } .raw, .smooth { stroke: #6aa9ff } .mark { stroke: #ff9a5c } }`

/**
 * The loss over the learning rate, as an SVG.
 *
 * @returns the text of the file: losses over the learning rate, its axis logarithmic, the steepest descent marked.
 */
export function plotRates({ points, suggestion }: LrFindResult): string {
  const rates = points.map(({ lr }) => Math.log10(lr))
  const [from, to] = [rates[0] ?? 0, rates.at(-1) ?? 1]
  const raw = points.map(({ loss }) => loss)
  const smooth = points.map(({ smoothLoss }) => smoothLoss)
  const [low, high] = [least(smooth), greatest(smooth.slice(0, Math.ceil(smooth.length / 2)))]
  const air = (high - low) / 4 || 1
  const x = (lr: number) => plot.left + ((Math.log10(lr) - from) / (to - from || 1)) * (plot.right - plot.left)
  const y = (loss: number) => plot.bottom - ((loss - low + air) / (high - low + 2 * air)) * (plot.bottom - plot.top)
  const path = (name: string, losses: readonly number[]) => {
    const places = points.map(({ lr }, i) => `${round(x(lr))} ${round(y(losses[i] as number))}`)
    return `<path class="${name}" d="M${places.join('L')}"/>`
  }
  const decades = Array.from({ length: Math.floor(to) - Math.ceil(from) + 1 }, (_, i) => Math.ceil(from) + i)
  const losses = Array.from({ length: 5 }, (_, i) => low - air + ((high - low + 2 * air) * i) / 4)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Loss over the learning rate">`,
    `<style>${style}</style>`,
    `<clipPath id="inside"><rect x="${plot.left}" y="${plot.top}" width="${plot.right - plot.left}" height="${plot.bottom - plot.top}"/></clipPath>`,
    ...losses.map(loss => gridLine(loss.toPrecision(3), y(loss))),
    ...decades.map(decade => label(`1e${decade}`, x(10 ** decade), plot.bottom + 18)),
    label('learning rate', (plot.left + plot.right) / 2, plot.bottom + 38),
    '<g clip-path="url(#inside)">',
    path('raw', raw),
    path('smooth', smooth),
    '</g>',
    ...(suggestion ? [mark(x(suggestion.steepest), suggestion.steepest)] : []),
    '</svg>\n',
  ].join('\n')
}

const round = (value: number): string => value.toFixed(1)

const label = (text: string, x: number, y: number): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="middle">${text}</text>`

const gridLine = (text: string, y: number): string =>
  `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${round(y)}" y2="${round(y)}"/><text x="${plot.left - 8}" y="${round(y + 4)}" text-anchor="end">${text}</text>`

const mark = (x: number, rate: number): string =>
  `<line class="mark" x1="${round(x)}" x2="${round(x)}" y1="${plot.top}" y2="${plot.bottom}"/>${label(`steepest: ${rate.toExponential(1)}`, x, plot.top - 6)}`
