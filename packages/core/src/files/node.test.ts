/** Files and downloads in plain Node, whose regular expressions, fetch and streams are not Bun's. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubServer } from '../../test/hub-server.ts'

const node = Bun.which('node')
if (!node) console.log('skipped the test in plain Node: there is no node in the PATH')

test.skipIf(!node)('names of megabytes are read, and a model is downloaded, in plain Node', async () => {
  const hub = new HubServer()
  const home = mkdtempSync(join(tmpdir(), 'vitral-node-'))
  const entry = join(import.meta.dirname, '../../test/node-files.ts')
  await Bun.build({ entrypoints: [entry], target: 'node', outdir: home, naming: 'files.mjs' })
  const program = Bun.spawn([node as string, join(home, 'files.mjs')], {
    env: { PATH: process.env.PATH, HF_HOME: home, HF_ENDPOINT: hub.endpoint },
    stderr: 'pipe',
  })
  const [output, errors] = await Promise.all([program.stdout, program.stderr].map(pipe => new Response(pipe).text()))
  expect(errors).toBe('')
  expect(JSON.parse(output as string)).toEqual({ fault: "The header of it has the key 'dtype' twice.", tensors: 56 })
  await hub.stop()
  rmSync(home, { recursive: true })
})
