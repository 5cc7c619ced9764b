/** The public names of @vitral/server. */
export { type AppOptions, type AppType, createApp } from './app.ts'
export { type Config, type ConfigInput, parseConfig } from './config.ts'
export { type ConfigSources, readConfig } from './config-sources.ts'
export {
  type Engine,
  EngineError,
  type EngineErrorCode,
  type EngineInput,
  type EngineOutput,
  type EngineRequest,
  type EngineResult,
  type ManagedEngine,
  type ModelDescription,
  type Task,
} from './engine.ts'
export type { EngineEvent } from './engine-events.ts'
export { createEngine, type StartOptions } from './models/create-engine.ts'
export type { EngineOptions, ModelOptions } from './models/options.ts'
export { runServer } from './run.ts'
export { type RunningServer, type ServerOptions, startServer } from './serve.ts'
