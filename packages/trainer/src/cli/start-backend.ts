/** The backend of a command. */
import { type BackendChoice, type BackendName, type BackendOptions, useBackend } from '@vitral/core'
import { createProgress, type Progress } from './progress.ts'

/** Starts a backend; on WebGPU a first pass says that it waits for the compilation of the GPU's programs. */
export async function startBackend(name: 'auto' | BackendName, options?: BackendOptions): Promise<BackendChoice> {
  const chosen = await useBackend(name, options)
  if (chosen.name === 'webgpu') {
    const { setPipelineListener } = await import('@vitral/backend-web')
    setPipelineListener(pipelineProgress(createProgress()))
  }
  return chosen
}

/** Fewer are compiled before anybody would wonder. */
const FEW = 4

/** Shows how many of the pipelines that a pass waits for are compiled. */
export function pipelineProgress(progress: Progress): (compiled: number, total: number) => void {
  let told = 0
  return (done, total) => {
    if (total < FEW) return
    if (total !== told) progress.say(`Compiling ${total} pipelines for the GPU…`)
    told = total
    progress.update({ title: 'compiling', unit: 'pipelines', done, total })
    if (done === total) progress.end()
  }
}
