/** The end of a whole server process, with a real model: it goes once nothing is left to do, not when it at last must. */
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { removeFolders, tinyModel } from '../test/tiny-model.ts'

afterAll(removeFolders)

test('a server without work ends well before its time to drain is over', async () => {
  const program = join(import.meta.dir, '../test/serve-folder.ts')
  const server = Bun.spawn([process.execPath, program, await tinyModel()], { stdin: 'ignore', stdout: 'pipe' })
  const reader = server.stdout.getReader()
  let text = ''
  while (!text.includes('"listening"')) text += new TextDecoder().decode((await reader.read()).value)
  const start = performance.now()
  server.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  expect(performance.now() - start).toBeLessThan(7000) // of 10,000 milliseconds; it takes a tenth of a second
}, 60_000)
