/** @vitral/trainer/ddp: training in several processes. */

export { alone, type Collectives, type CollectivesEngine } from '../ddp/collectives.ts'
export { DataParallel, type DataParallelOptions } from '../ddp/data-parallel.ts'
export { connectProcessGroup, type ProcessGroup } from '../ddp/process-group.ts'
