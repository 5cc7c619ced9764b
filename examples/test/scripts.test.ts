/** The examples' scripts, and the README's, in the runtimes that they are for, on the packed packages. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hubOf } from './hub.ts'
import { packedProject, runIn } from './packed-project.ts'
import { firstExample } from './readme.ts'

const examples = join(import.meta.dir, '..')
const model = join(examples, 'pretrained')

const runtimes = [
  { name: 'bun', command: ['bun'], program: process.execPath, script: 'classify.ts' },
  { name: 'node', command: ['node'], program: Bun.which('node'), script: 'classify.js' },
  { name: 'deno', command: ['deno', 'run', '-A'], program: Bun.which('deno'), script: 'classify.ts' },
]

let project: string
/** The same project on a machine for which nobody has compiled the addon. */
let withoutAddon: string
const hub = Bun.serve({ port: 0, fetch: hubOf(model) })

beforeAll(async () => {
  project = await packedProject()
  withoutAddon = join(project, '../without-addon')
  const installed = join(project, 'node_modules')
  cpSync(join(installed, '@vitral'), join(withoutAddon, 'node_modules/@vitral'), {
    recursive: true,
    filter: path => !/backend-node-/.test(path),
  })
  cpSync(join(project, 'package.json'), join(withoutAddon, 'package.json'))
  for (const entry of readdirSync(installed))
    if (entry !== '@vitral') symlinkSync(join(installed, entry), join(withoutAddon, 'node_modules', entry))
}, 240_000)
afterAll(() => hub.stop(true))

for (const { name, command, program, script } of runtimes) {
  if (!program)
    console.log(`skipped the scripts in ${name}: it is not on the PATH (scripts/install-test-tools.sh installs it)`)
  describe.skipIf(!program)(name, () => {
    const [_, ...options] = command
    const run = [program as string, ...options]

    test('the example classifies an image', async () => {
      cpSync(join(examples, name), join(project, name), { recursive: true })
      cpSync(join(examples, 'images/cat.png'), join(project, 'cat.png'))
      const printed = await runIn(project, [...run, join(name, script), model, 'cat.png'])
      expect(printed).toBe('cat.png: cat 91.8 %\n')
    }, 240_000)

    test('the kernels are WebAssembly where none are compiled for the machine', async () => {
      const lines = ["import { useBackend } from '@vitral/core'", "console.log((await useBackend('auto')).name)"]
      writeFileSync(join(withoutAddon, 'backend.mjs'), lines.join('\n'))
      expect(await runIn(withoutAddon, [...run, 'backend.mjs'])).toBe('wasm\n')
    }, 240_000)

    test("the README's first example runs as it is written", async () => {
      const folder = join(project, `readme-${name}`)
      mkdirSync(folder)
      writeFileSync(join(folder, script), firstExample)
      cpSync(join(examples, 'images/cat.png'), join(folder, 'cat.jpg')) // the bytes say what an image is, not the name
      const env = { HF_ENDPOINT: `http://localhost:${hub.port}`, HF_HUB_CACHE: join(folder, 'cache') }
      expect(await runIn(folder, [...run, script], env)).toBe('cat\n')
    }, 240_000)
  })
}
