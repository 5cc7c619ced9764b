/** The API's description, generated from the schemas that validate. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import type { AppEnv } from '../services.ts'
import { version } from '../version.ts'

/** @param app all of whose routes are described, also those that come later; by the first request there are all */
export function docsRoutes(app: OpenAPIHono<AppEnv>): Hono {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  let text: string | undefined
  return new Hono().get('/openapi.json', context => {
    text ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Vitral', version, description: 'Vision Transformers over HTTP.', license: { name: 'MIT' } },
        security: [{ key: [] }, {}],
      }),
    )
    return context.body(text, 200, { 'Content-Type': 'application/json' })
  })
}
