/** The wall clock may be set at any time: deadlines, drain and rates go by another. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { images, post } from '../test/requests.ts'

const [program, clock] = ['server-process.ts', 'jumping-clock.ts'].map(name => join(import.meta.dir, '../test', name))

test('a clock that jumps by hours ends no request early, keeps none alive, and lets nobody through faster', async () => {
  const server = Bun.spawn([process.execPath, '--preload', clock as string, program as string], {
    env: { ...process.env, DELAY: '700', RATE: '1' },
    stdin: 'ignore',
    stdout: 'pipe',
  })
  const reader = server.stdout.getReader()
  let text = ''
  while (!/"url":"[^"]*"/.test(text)) text += new TextDecoder().decode((await reader.read()).value)
  const url = /"url":"([^"]*)"/.exec(text)?.[1] as string
  const classify = (): Promise<Response> => fetch(`${url}v1/models/tiny/classify`, post(images.jpeg))
  const answers = await Promise.all(Array.from({ length: 12 }, classify))
  const statuses = answers.map(({ status }) => status)
  // A burst of five, and one a second: whatever the clock says.
  const answered = statuses.filter(status => status === 200).length
  expect(answered).toBeGreaterThanOrEqual(5)
  expect(answered).toBeLessThanOrEqual(7)
  expect(statuses.filter(status => status === 429).length).toBe(12 - answered)
  await Bun.sleep(1200)
  expect((await classify()).status).toBe(200)
  server.kill('SIGTERM')
  expect(await server.exited).toBe(0)
}, 30_000)
