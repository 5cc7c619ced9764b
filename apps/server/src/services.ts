/** What every route needs, made once for an application; and the router whose errors all look alike. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { ByteBudget } from './body/byte-budget.ts'
import type { Config } from './config.ts'
import type { Engine, EngineResult, ManagedEngine } from './engine.ts'
import { RequestError } from './errors.ts'
import type { Metrics } from './metrics.ts'

export interface Services {
  engine: Engine & Partial<Pick<ManagedEngine, 'reload' | 'unload'>>
  config: Config
  metrics: Metrics
  budget: ByteBudget
  isDraining: () => boolean
}

export interface AppEnv {
  Variables: {
    requestId: string
    /** Name of the API key. */
    key?: string
    /** Name of the model, once it is known to exist. */
    model?: string
    /** Of the engine, in milliseconds, and when the last of them ended, in those since 1970. */
    stages?: EngineResult['stages'] & { ended: number }
  }
}

/** @throws (its routes) what the schema of a route's parameters refuses, in one sentence */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: result => {
      if (result.success) return
      const [issue] = result.error.issues
      throw new RequestError('invalid_request', `${issue?.path.join('.') || 'The request'}: ${issue?.message}.`)
    },
  })
}
