/** From the losses of a range test to a learning rate. */

export interface RatePoint {
  /** Learning rate. */
  lr: number
  /** Loss of its step. */
  loss: number
}

/** A rate with its smoothed loss. */
export interface SmoothPoint extends RatePoint {
  /** Mean of the losses around it. */
  smoothLoss: number
  /** Slope of the line through the losses around it, against the logarithm of the rate to base 10. */
  slope: number
}

/** The learning rates that a search suggests. */
export interface Suggestion {
  /** Where the loss falls fastest. */
  steepest: number
  /** A tenth of the rate with the least loss. */
  minimumTenth: number
}

/**
 * The curve as a line fitted to the losses around each point, as many on either side: a mean over those before alone, as
 * is often used, lags behind, and so names a rate that is too high.
 *
 * @param reach points on either side, where there are as many
 */
export function smoothCurve(points: readonly RatePoint[], reach: number): SmoothPoint[] {
  return points.map((point, i) => ({ ...point, ...fitLine(points.slice(Math.max(0, i - reach), i + reach + 1)) }))
}

/** Least squares. */
function fitLine(points: readonly RatePoint[]): { smoothLoss: number; slope: number } {
  const mean = (of: (point: RatePoint) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const meanRate = mean(({ lr }) => Math.log10(lr))
  const smoothLoss = mean(({ loss }) => loss)
  const covariance = mean(({ lr, loss }) => (Math.log10(lr) - meanRate) * (loss - smoothLoss))
  const variance = mean(({ lr }) => (Math.log10(lr) - meanRate) ** 2)
  return { smoothLoss, slope: variance === 0 ? 0 : covariance / variance }
}

/**
 * @param reach as for the curve; nearer to its ends chance decides
 * @returns nothing when the loss did not fall
 */
export function suggestRate(curve: readonly SmoothPoint[], reach: number): Suggestion | undefined {
  const inner = curve.slice(reach, curve.length - reach)
  const least = lowest(inner, ({ smoothLoss }) => smoothLoss)
  const steepest = lowest(inner.slice(0, least + 1), ({ slope }) => slope)
  const [at, minimum] = [inner[steepest], inner[least]]
  if (!at || !minimum || least === 0 || at.slope >= 0) return undefined
  return { steepest: at.lr, minimumTenth: minimum.lr / 10 }
}

function lowest<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((best, item, i) => (of(item) < of(items[best] as T) ? i : best), 0)
}
