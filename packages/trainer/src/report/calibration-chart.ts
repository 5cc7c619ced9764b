/** Whether the model is as often right as it is sure: a reliability diagram (Guo et al. 2017). */

import { percent } from '@vitral/core/text'
import type { CalibrationBin } from '../evaluation/calibration.ts'
import type { Metrics } from '../evaluation/metrics.ts'
import { count } from '../format.ts'

const size = { width: 340, height: 300 }
const plot = { left: 48, right: 308, top: 10, bottom: 262 }

export function calibrationChart({
  calibration,
  ece,
  count: images,
}: Pick<Metrics, 'calibration' | 'ece' | 'count'>): string {
  const bins = calibration.length
  const bars = calibration.map((bin, i) => drawBin(bin, i / bins, (i + 1) / bins, images))
  const labels = [0, 0.5, 1].flatMap(share => [
    `<text x="${x(share)}" y="${plot.bottom + 18}" text-anchor="middle">${percent(share, 0)}</text>`,
    `<text x="${plot.left - 8}" y="${y(share) + 4}" text-anchor="end">${percent(share, 0)}</text>`,
  ])
  return [
    `<p>Expected calibration error ${percent(ece, 1)}: how far confidence is from accuracy, on average. Bars below the line`,
    'are images of which the model is too sure; darker bars stand for more images.</p>',
    `<svg class="calibration" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Accuracy over confidence">`,
    ...bars,
    `<line class="ideal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>`,
    ...labels,
    `<text x="${x(0.5)}" y="${plot.bottom + 34}" text-anchor="middle">confidence</text>`,
    '</svg>',
  ].join('\n')
}

function drawBin(
  { count: held, confidence, accuracy }: CalibrationBin,
  from: number,
  to: number,
  images: number,
): string {
  if (accuracy === null || confidence === null) return ''
  const opacity = 0.25 + 0.75 * Math.sqrt(held / images)
  const title = `${count(held)} images, confidence ${percent(confidence, 1)}, accuracy ${percent(accuracy, 1)}`
  const height = plot.bottom - y(accuracy)
  return `<rect class="bin" x="${x(from) + 1}" y="${y(accuracy)}" width="${x(to) - x(from) - 2}" height="${height}" opacity="${opacity.toFixed(2)}"><title>${title}</title></rect>`
}

const x = (share: number): number => Math.round(plot.left + share * (plot.right - plot.left))
const y = (share: number): number => Math.round(plot.bottom - share * (plot.bottom - plot.top))
