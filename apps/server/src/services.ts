/** The services that every route needs, created once for an application, and the router with uniform errors. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { ByteBudget } from './body/byte-budget.ts'
import type { Config } from './config.ts'
import type { Engine, EngineResult, ManagedEngine } from './engine.ts'
import { RequestError } from './errors.ts'
import type { Metrics } from './metrics.ts'

/** Services of an application. */
export interface Services {
  engine: Engine & Partial<Pick<ManagedEngine, 'reload' | 'unload'>>
  config: Config
  metrics: Metrics
  budget: ByteBudget
  isDraining: () => boolean
}

/** Variables of a request's context. */
export interface AppEnv {
  Variables: {
    requestId: string
    /** Name of the API key. */
    key?: string
    /** Name of the model, once it is known to exist. */
    model?: string
    /** Milliseconds in the engine's stages, and the end of the last one in milliseconds since 1970. */
    stages?: EngineResult['stages'] & { ended: number }
  }
}

/** Creates a router whose routes reject invalid parameters with one sentence. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: result => {
      if (result.success) return
      const [issue] = result.error.issues
      throw new RequestError('invalid_request', `${issue?.path.join('.') || 'The request'}: ${issue?.message}.`)
    },
  })
}
