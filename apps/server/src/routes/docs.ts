/** The API's description, generated from the schemas that validate. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import type { AppEnv } from '../services.ts'
import { version } from '../version.ts'

/** @param app all of whose routes are described, also those that come later */
export const docsRoutes = (app: OpenAPIHono<AppEnv>): Hono =>
  new Hono().get('/openapi.json', context => {
    app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
    const document = app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'Vitral', version, description: 'Vision Transformers over HTTP.', license: { name: 'MIT' } },
      security: [{ key: [] }, {}],
    })
    return context.json(document)
  })
