/** @vitral/trainer/run: a run from the inside: its parts, its state, its files and its checkpoints. */

export type { OpenDatasetOptions } from '../data/open-dataset.ts'
export type { TrainingData } from '../data/training-data.ts'
export type { DataSource, OwnData } from '../data/validation-split.ts'
export type { AddedEpochs } from '../run/added-epochs.ts'
export { type AssembleOptions, assemble, assembleParts, type Training, type TrainingParts } from '../run/assemble.ts'
export { broadcastParameters } from '../run/broadcast-state.ts'
export { type CheckpointOptions, type LoadOptions, loadCheckpoint, saveCheckpoint } from '../run/checkpoint.ts'
export { type Checkpoint, DamagedCheckpointError, readCheckpoint, writeCheckpoint } from '../run/checkpoint-file.ts'
export { runPaths } from '../run/folder.ts'
export type { RunFilesOptions } from '../run/run-files.ts'
export type { RunPosition, RunState, Section, SectionState, SectionTensors } from '../run/state.ts'
