/**
 * Checkpoints: one safetensors file with the parameters, the optimizer's state and, as metadata, the position in the
 * run. One file is written aside, flushed and renamed, so it is there as a whole or not at all.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tensor, type Variable } from '@tensorflow/tfjs-core'
import { readSafetensors, toFloat32, writeSafetensors } from '@vitral/core'
import type { LoaderPlan } from '@vitral/datasets'
import type { GradScaler } from './grad-scaler.ts'
import type { ModelEma } from './model-ema.ts'
import type { Optimizer } from './optimizers/index.ts'

/** Where a run stands. With the recipe it decides all that follows: no generator has a hidden state. */
export interface RunPosition {
  /** Epochs trained and evaluated. */
  epoch: number
  /** Batches trained of the epoch under way. */
  batch: number
  /** Steps trained in all. */
  step: number
  /** Sum of the losses of the epoch under way. */
  lossSum: number
  /** Of all evaluations so far. */
  losses: readonly number[]
  /** Seconds of training so far. */
  seconds: number
  /** Of the batches that were trained on; going on with others is refused. */
  plan?: LoaderPlan
  /** The best evaluation so far. */
  best?: { epoch: number; accuracy: number; loss: number }
}

export const startOfRun: RunPosition = { epoch: 0, batch: 0, step: 0, lossSum: 0, losses: [], seconds: 0 }

/** What a checkpoint holds beside the position. */
export interface RunState {
  parameters: ReadonlyMap<string, Variable>
  optimizer: Optimizer
  scaler?: GradScaler
  ema?: ModelEma
}

/** Saves the state of a run as the newest checkpoint in the folder, and then removes those before it. */
export async function saveCheckpoint(
  folder: string,
  position: RunPosition,
  { parameters, optimizer, scaler, ema }: RunState,
): Promise<void> {
  const name = `step-${String(position.step).padStart(9, '0')}.safetensors`
  const { steps, tensors } = await optimizer.state()
  const entries = new Map<string, { dtype: 'F32'; shape: number[]; data: Float32Array }>()
  for (const [key, parameter] of parameters) {
    const data = (await parameter.data()) as Float32Array
    entries.set(`model.${key}`, { dtype: 'F32', shape: parameter.shape, data })
  }
  for (const [key, state] of tensors) entries.set(`optimizer.${key}`, { dtype: 'F32', ...state })
  for (const [key, average] of (await ema?.state()) ?? []) entries.set(`ema.${key}`, { dtype: 'F32', ...average })
  await writeSafetensors(join(folder, name), entries, {
    position: JSON.stringify(position),
    steps: JSON.stringify(steps),
    ...(scaler && { scaler: JSON.stringify(scaler.state()) }),
  })
  for (const other of readdirSync(folder)) if (other !== name) rmSync(join(folder, other))
}

/**
 * Puts the newest checkpoint of the folder into the state of a run.
 *
 * @returns its position; nothing when there is no checkpoint yet.
 * @throws naming the file, when it does not belong to this model or is damaged.
 */
export async function loadCheckpoint(
  folder: string,
  { parameters, optimizer, scaler, ema }: RunState,
): Promise<RunPosition | undefined> {
  const newest = readdirSync(folder)
    .filter(name => /^step-\d+\.safetensors$/.test(name))
    .sort()
    .at(-1)
  if (!newest) return undefined
  const path = join(folder, newest)
  const { tensors, metadata } = await readSafetensors(path)
  const part = (prefix: string) =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, saved]) => [key.slice(prefix.length), { shape: saved.shape, data: toFloat32(saved) }]),
    )
  for (const [key, parameter] of parameters) {
    const saved = tensors.get(`model.${key}`)
    if (saved?.shape.join() !== parameter.shape.join())
      throw new Error(
        `${path}: the parameter '${key}' has shape [${saved?.shape ?? 'missing'}]; expected [${parameter.shape}].`,
      )
    const values = tensor(toFloat32(saved), parameter.shape, 'float32')
    parameter.assign(values)
    values.dispose()
  }
  optimizer.load({ steps: JSON.parse(metadata.steps as string), tensors: part('optimizer.') })
  ema?.load(part('ema.'))
  if (scaler && metadata.scaler) scaler.load(JSON.parse(metadata.scaler))
  return { ...startOfRun, ...(JSON.parse(metadata.position as string) as RunPosition) }
}
