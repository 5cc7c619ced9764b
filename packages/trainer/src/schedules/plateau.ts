/** Reducing the rate when evaluations no longer get better: torch.optim.lr_scheduler.ReduceLROnPlateau. */

export interface PlateauOptions {
  lr: number
  minLr: number
  factor: number
  patience: number
  threshold: number
  cooldown: number
}

/**
 * The learning rate after these evaluations. It is computed from all of them each time, so that a run that is resumed
 * needs nothing but them.
 *
 * @param losses of the evaluations so far
 */
export function plateauRate(
  losses: readonly number[],
  { lr, minLr, factor, patience, threshold, cooldown }: PlateauOptions,
): number {
  let [rate, best, bad, cooling] = [lr, Infinity, 0, 0]
  for (const loss of losses) {
    if (loss < best * (1 - threshold)) {
      best = loss
      bad = 0
    } else bad++
    if (cooling > 0) {
      cooling--
      bad = 0
    }
    if (bad > patience) {
      rate = Math.max(rate * factor, minLr)
      cooling = cooldown
      bad = 0
    }
  }
  return rate
}
