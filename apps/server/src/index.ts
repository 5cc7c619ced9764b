/** The public names of @vitral/server. */
export { type AppOptions, type AppType, createApp } from './app.ts'
export { type Config, type ConfigInput, parseConfig } from './config.ts'
export {
  type Engine,
  EngineError,
  type EngineErrorCode,
  type EngineInput,
  type EngineOutput,
  type EngineRequest,
  type EngineResult,
  type ModelDescription,
  type Task,
} from './engine/engine.ts'
