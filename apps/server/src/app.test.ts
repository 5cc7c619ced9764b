import { expect, test } from 'bun:test'
import { createApp } from './app.ts'

test('the live route answers as the Open Inference Protocol says', async () => {
  const response = await createApp().request('/v2/health/live')
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ live: true })
})

test('an unknown route is not found', async () => {
  expect((await createApp().request('/v2/models/none')).status).toBe(404)
})
