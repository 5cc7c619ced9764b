/** The end of a whole server process, with a real model: it goes once nothing is left to do, not when it at last must. */
import { afterAll, expect, test } from 'bun:test'
import { startedWithModel } from '../test/started-server.ts'
import { removeFolders, tinyModel } from '../test/tiny-model.ts'

afterAll(removeFolders)

test('a server without work ends well before its time to drain is over', async () => {
  const server = await startedWithModel(await tinyModel())
  const start = performance.now()
  expect(await server.stop()).toBe(0)
  expect(performance.now() - start).toBeLessThan(7000) // of 10,000 milliseconds; it takes a tenth of a second
}, 60_000)
