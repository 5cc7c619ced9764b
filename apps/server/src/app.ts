/** The HTTP application, apart from the port it listens on, so that a test can call it without one. */
import { Hono } from 'hono'

/** Routes of the Open Inference Protocol v2 that need no model: whether the process is alive. */
export function createApp(): Hono {
  const app = new Hono()
  app.get('/v2/health/live', context => context.json({ live: true }))
  return app
}
