/** Deadlines, drain time and rates use a monotonic clock: the wall clock may be set at any time. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { images, post } from '../support/requests.ts'
import { startedServer } from '../support/started-server.ts'

const preload = join(import.meta.dir, '../support/jumping-clock.ts')

test('a wall clock that jumps by hours changes no deadline, drain time or rate limit', async () => {
  const server = await startedServer({}, { preload, variables: { DELAY: '700', RATE: '1' } })
  const classify = (): Promise<Response> => fetch(new URL('v1/models/tiny/classify', server.url), post(images.jpeg))
  const answers = await Promise.all(Array.from({ length: 12 }, classify))
  const statuses = answers.map(({ status }) => status)
  // A burst of five, and one a second: whatever the clock says.
  const answered = statuses.filter(status => status === 200).length
  expect(answered).toBeGreaterThanOrEqual(5)
  expect(answered).toBeLessThanOrEqual(7)
  expect(statuses.filter(status => status === 429).length).toBe(12 - answered)
  await Bun.sleep(1200)
  expect((await classify()).status).toBe(200)
  expect(await server.stop()).toBe(0)
}, 30_000)
