/** @vitral/trainer/worker: what makes a page's worker one that trains. */

export { type ServeTrainingOptions, serveTraining } from '../page/serve-training.ts'
