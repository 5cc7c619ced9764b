/** How training went: loss, accuracy and learning rate over the steps. */

import { percent } from '@vitral/core/text'
import type { History } from '../dashboard/history.ts'
import { lineChart, thin } from './line-chart.ts'

const mostPoints = 400

export function curves({ steps, evaluations }: History): string {
  const losses = steps.map(({ step, loss }) => [step, loss] as const)
  const evaluated = (field: 'loss' | 'accuracy' | 'top5' | 'meanAveragePrecision') =>
    evaluations.flatMap(point => (typeof point[field] === 'number' ? [[point.step, point[field]] as const] : []))
  const second = [
    { name: 'top 5', points: evaluated('top5') },
    { name: 'mean average precision', points: evaluated('meanAveragePrecision') },
  ].filter(({ points }) => points.length > 0)
  return [
    lineChart({
      title: 'Loss',
      curves: [
        { name: 'each step', style: 'raw', points: thin(losses, 4 * mostPoints) },
        { name: 'training', style: 'first', points: thin(smooth(losses), mostPoints) },
        { name: 'validation', style: 'second', points: evaluated('loss'), dots: true },
      ],
      format: value => String(Number(value.toPrecision(3))),
    }),
    lineChart({
      title: 'Validation accuracy',
      curves: [
        { name: 'top 1', style: 'first', points: evaluated('accuracy'), dots: true },
        ...second.map(curve => ({ ...curve, style: 'second', dots: true })),
      ],
      format: value => percent(value, 0),
      range: [0, 1],
    }),
    lineChart({
      title: 'Learning rate',
      curves: [
        {
          name: 'each step',
          style: 'first',
          points: thin(
            steps.map(({ step, lr }) => [step, lr]),
            mostPoints,
          ),
        },
      ],
      format: value => (value === 0 ? '0' : value.toExponential(1)),
    }),
  ].join('\n')
}

/** An exponential mean over about a fiftieth of the run, without the bias of its beginning. */
function smooth(points: readonly (readonly [number, number])[]): [number, number][] {
  const decay = 1 - 1 / Math.max(2, points.length / 50)
  let mean = 0
  let weight = 0
  return points.map(([x, y]) => {
    mean = decay * mean + (1 - decay) * y
    weight = decay * weight + (1 - decay)
    return [x, mean / weight]
  })
}
