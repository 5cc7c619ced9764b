/** A curve or two as inline SVG, with a grid of round numbers. */

const height = 208
const margin = { left: 52, right: 12, top: 10, bottom: 22 }

/**
 * Draws into a figure; what it held before is replaced.
 *
 * @param {HTMLElement} figure
 * @param {{ title: string, curves: { name: string, style: string, points: [number, number][], dots?: boolean }[],
 *   format: (value: number) => string, lastStep?: number, most?: number }} chart where x is a step, 1 for the first, and y
 *   goes from 0 to the largest value, or to the `most` that there can be
 */
export function drawChart(figure, { title, curves, format, lastStep = 1, most }) {
  const width = Math.max(240, figure.clientWidth - 32)
  const svg = element('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' })
  const points = curves.flatMap(curve => curve.points).filter(([, y]) => Number.isFinite(y))
  const last = curves.map(({ name, points }) => `${name} ${points.length > 0 ? format(points.at(-1)[1]) : '–'}`)
  svg.setAttribute('aria-label', `${title}: ${last.join(', ')}`)
  if (points.length > 0) {
    const largest = most ?? points.reduce((most, [, value]) => Math.max(most, value), 0)
    const x = scale(1, lastStep, margin.left, width - margin.right)
    const y = scale(0, largest || 1, height - margin.bottom, margin.top)
    drawGrid(svg, { x, y, width, format })
    for (const curve of curves) drawCurve(svg, curve, { x, y })
  }
  figure.replaceChildren(caption(title, curves, last), svg)
}

function caption(title, curves, last) {
  const made = document.createElement('figcaption')
  const strong = document.createElement('strong')
  strong.textContent = title
  made.append(strong)
  for (const [i, text] of last.entries()) {
    if (curves[i].style.includes('raw')) continue
    const entry = document.createElement('span')
    entry.className = curves[i].style
    entry.textContent = text
    made.append(entry)
  }
  return made
}

function drawGrid(svg, { x, y, width, format }) {
  for (const value of roundNumbers(y.from, y.to, 4)) {
    svg.append(
      element('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
    )
    svg.append(element('text', { x: margin.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, format(value)))
  }
  for (const step of roundNumbers(x.from, x.to, width / 110).filter(Number.isInteger))
    svg.append(element('text', { x: x(step), y: height - 5, 'text-anchor': 'middle' }, step.toLocaleString('en')))
}

function drawCurve(svg, { style, points, dots }, { x, y }) {
  const shown = columns(
    points.filter(([, value]) => Number.isFinite(value)),
    x,
  )
  const path = shown.map(([step, value], i) => `${i === 0 ? 'M' : 'L'}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)
  svg.append(element('path', { class: `curve ${style}`, d: path.join('') }))
  if (!dots) return
  for (const [step, value] of shown)
    svg.append(element('circle', { class: `dot ${style}`, cx: x(step), cy: y(value), r: 3 }))
}

/** The mean of the points that share a column of pixels. */
function columns(points, x) {
  const sums = new Map()
  for (const [step, value] of points) {
    const column = Math.round(x(step))
    const sum = sums.get(column) ?? [0, 0, 0]
    sums.set(column, [sum[0] + 1, sum[1] + step, sum[2] + value])
  }
  return [...sums.values()].map(([count, steps, values]) => [steps / count, values / count])
}

function scale(from, to, start, end) {
  const span = to - from || 1
  return Object.assign(value => start + ((value - from) / span) * (end - start), { from, to })
}

/** About so many numbers between two, each 1, 2 or 5 times a power of ten apart. */
function roundNumbers(from, to, count) {
  const rough = (to - from) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough) ?? rough
  const first = Math.ceil(from / step)
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step)
}

function element(name, attributes, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.textContent = text
  return made
}
