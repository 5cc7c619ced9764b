/** A thousand connections at once: no errors below the model's capacity, and a fair order. */
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEngine } from '../../src/models/create-engine.ts'
import { startServer } from '../../src/serve.ts'
import { FAULTS, inputWith } from '../support/faults.ts'
import { removeFolders, tinyModel } from '../support/tiny-model.ts'

afterAll(removeFolders)

test('1,000 keep-alive connections to a model of 20 ms a batch are all answered', async () => {
  const engine = await createEngine({
    models: [{ name: 'tiny', folder: await tinyModel(), backend: 'cpu', maxBatchSize: 32, queueSize: 2000 }],
    modelModule: fileURLToPath(new URL('../support/faulty-model.ts', import.meta.url)),
    queueTimeout: 60_000,
  })
  const server = await startServer({ port: 0, log: false }, { engine })
  const input = inputWith(FAULTS.delay + 20)
  if (!('pixelValues' in input)) throw new Error('The input is an image; expected values.')
  const data = Array.from(input.pixelValues)
  const body = { inputs: [{ name: 'pixel_values', shape: [1, 3, 16, 16], datatype: 'FP32', data }] }
  const program = join(import.meta.dir, '../support/many-clients.ts')
  const url = new URL('v2/models/tiny/infer', server.url).href
  // Without it Bun sends 256 requests at a time.
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '2000' }
  const clients = Bun.spawn([process.execPath, program, url, '1000', '8', JSON.stringify(body)], {
    env,
    stdout: 'pipe',
  })
  const { statuses, least, most } = JSON.parse(await new Response(clients.stdout).text())
  expect(statuses.map(([status]: [number]) => status)).toEqual([200])
  // Whole rounds: a client that was a round ahead when time was up has one more.
  expect(most).toBeLessThanOrEqual(Math.ceil(1.5 * least) + 1)
  expect(least).toBeGreaterThan(0)
  await server.stop()
}, 60_000)
