/** @vitral/trainer/search: search for a learning rate, and for settings of a recipe. */

export { type LrFindOptions, type LrFindResult, lrFind } from '../lr-find/lr-find.ts'
export { plotRates } from '../lr-find/plot.ts'
export type { RatePoint, SmoothPoint, Suggestion } from '../lr-find/suggest-rate.ts'
export { gridSearch, type RandomSearchOptions, randomSearch, type Settings } from '../sweep/search.ts'
export { type SweepOptions, type SweepResult, type SweptTrial, sweep } from '../sweep/sweep.ts'
export type { Trial, TrialResult } from '../sweep/sweep-folder.ts'
