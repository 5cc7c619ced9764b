/** GET /metrics: metrics for Prometheus. */
import { Hono } from 'hono'
import type { Services } from '../services.ts'

export const metricsRoute = ({ metrics }: Services): Hono =>
  new Hono().get('/metrics', async context => {
    const { text, contentType } = await metrics.read()
    return context.body(text, 200, { 'Content-Type': contentType })
  })
