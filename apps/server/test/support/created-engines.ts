/** Engines of faulty models that a test creates and closes afterwards: `afterEach(closeEngines)`. */
import { fileURLToPath } from 'node:url'
import type { EngineResult, ManagedEngine } from '../../src/engine.ts'
import type { EngineEvent } from '../../src/engine-events.ts'
import { createEngine } from '../../src/models/create-engine.ts'
import type { EngineOptions, ModelOptions } from '../../src/models/options.ts'
import { pixelsOf, removeFolders } from './tiny-model.ts'

const engines: ManagedEngine[] = []
/** What has happened in all of them. */
export const events: EngineEvent[] = []

export async function create(models: ModelOptions[], options: Partial<EngineOptions> = {}): Promise<ManagedEngine> {
  const engine = await createEngine({
    models: models.map(model => ({ backend: 'cpu', ...model })),
    modelModule: fileURLToPath(new URL('./faulty-model.ts', import.meta.url)),
    timeout: 60_000,
    queueTimeout: 60_000,
    onEvent: event => events.push(event),
    ...options,
  })
  engines.push(engine)
  return engine
}

export async function closeEngines(): Promise<void> {
  await Promise.allSettled(engines.splice(0).map(engine => engine.close()))
  events.length = 0
  removeFolders()
}

export const pixelValues = pixelsOf(7)
export const run = (engine: ManagedEngine, model = 'tiny', input = { pixelValues }): Promise<EngineResult> =>
  engine.run({ model, task: 'classify', inputs: [input] })
export const logits = ({ outputs }: EngineResult): number[] => [...(outputs[0]?.logits ?? [])]
export const states = (engine: ManagedEngine): string[] => engine.models().map(({ state }) => state)
