/** @vitral/trainer/browser: training from a page, whose runs are in the site's storage. */

export { keepImages, keptImages } from '../page/kept-images.ts'
export type { FineTuneRequest, PageReports, StartReport } from '../page/messages.ts'
export { hasRun, removeRun } from '../page/runs.ts'
export { type TrainInWorkerOptions, trainInWorker, type WorkerTraining } from '../page/train-in-worker.ts'
export { zipFolder } from '../page/zip-folder.ts'
