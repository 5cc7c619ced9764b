/** The listener to the compilation of shaders, for which the first pass of a model waits. */

/** Gets how many of the pipelines that a pass waits for are compiled. */
export type PipelineListener = (compiled: number, total: number) => void

let listener: PipelineListener | undefined

/** Sets who is told while a read waits for pipelines; nobody without an argument. */
export function setPipelineListener(toTell?: PipelineListener): void {
  listener = toTell
}

export const tellPipelines: PipelineListener = (compiled, total) => listener?.(compiled, total)
