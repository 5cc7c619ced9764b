/** @vitral/trainer/report: pages and logs of a run. */

export { type Dashboard, startDashboard } from '../dashboard/dashboard.ts'
export type { WatchedRun } from '../dashboard/run-progress.ts'
export type { ReportedEvaluation, ReportedImage } from '../report/evaluation-file.ts'
export { writeReport } from '../report/report.ts'
export { type TensorboardLogOptions, tensorboardLog } from '../tensorboard/tensorboard-log.ts'
