/** `vitral serve` as a real process: from a model folder to an answer over HTTP, and what is refused before. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification, ViTImageProcessor } from '@vitral/core'
import { flipBit } from '../flip-bit.ts'

const temporary = mkdtempSync(join(tmpdir(), 'vitral-serve-'))
const folder = join(temporary, 'tiny')
afterAll(() => rmSync(temporary, { recursive: true }))

beforeAll(async () => {
  await useBackend('cpu')
  const size = {
    hiddenSize: 8,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 16,
    imageSize: 16,
    patchSize: 8,
  }
  const model = new ViTForImageClassification({ ...size, numLabels: 3 }, { seed: 0 })
  await model.savePretrained(folder)
  await new ViTImageProcessor({ size: { height: 16, width: 16 } }).savePretrained(folder)
  model.dispose()
})

const files = join(import.meta.dirname, '../../../datasets/test/fixtures/decode')
const images = ['colour.jpg', 'alpha.png', 'lossy.webp'].map(name => Uint8Array.from(readFileSync(join(files, name))))

const serve = (...args: string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), 'serve', ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
  })

function childrenOf(pid: number): string[] {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const children = tasks.flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
  return children.filter(child => child !== '')
}

test('a model folder is served under its name until SIGTERM', async () => {
  const child = serve(
    ...[`tiny=${folder}`, '--port', '0', '--backend', 'cpu', '--queue-size', '2', '--threads', '1'],
    ...['--set', 'limits.imagesPerRequest=8', '--set', 'models.0.queueSize=3'],
  )
  let printed = ''
  let isAsked = false
  for await (const chunk of child.stdout) {
    printed += new TextDecoder().decode(chunk)
    const [, url] = /"url":"([^"]+)"/.exec(printed) ?? []
    if (!url || isAsked) continue
    isAsked = true
    const { models } = (await (await fetch(`${url}v1/models`)).json()) as {
      models: { name: string; backend: string }[]
    }
    expect(models).toMatchObject([{ name: 'tiny', backend: 'cpu' }])
    const ask = async (path: string, ...files: Uint8Array<ArrayBuffer>[]): Promise<Response> => {
      const body = new FormData()
      for (const file of files) body.append('image', new Blob([file]), 'image')
      return await fetch(`${url}v1/models/tiny/${path}`, { method: 'POST', body })
    }
    const answer = await ask('classify', ...images)
    expect(((await answer.json()) as { results: unknown[] }).results).toHaveLength(images.length)
    expect((await ask('embed', images[0] as Uint8Array<ArrayBuffer>)).status).toBe(200)
    // What --set says of the model is over the option.
    const refusal = await ask('classify', ...images, images[0] as Uint8Array<ArrayBuffer>)
    expect(await refusal.json()).toMatchObject({ code: 'queue_full', error: expect.stringContaining('queue of 3') })
    if (process.platform === 'linux')
      for (const pid of [child.pid, ...childrenOf(child.pid)])
        expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('MIMALLOC_PURGE_DELAY=10000')
    child.kill('SIGTERM')
  }
  expect(await child.exited).toBe(0)
  expect(printed).toContain('"message":"stopped"')
}, 300_000)

test('a model that is missing or damaged ends vitral serve with one line that says why', async () => {
  const damages: [(folder: string) => void, string][] = [
    [damaged => rmSync(damaged, { recursive: true }), 'is neither a folder that exists nor'],
    [damaged => rmSync(join(damaged, 'model.safetensors')), 'has neither model.safetensors nor'],
    [damaged => truncateSync(join(damaged, 'model.safetensors'), 500), 'model.safetensors'],
    [
      damaged => flipBit(join(damaged, 'model.safetensors')),
      'model.safetensors is damaged: its content does not match its checksum.',
    ],
    [damaged => writeFileSync(join(damaged, 'config.json'), '{"hidden_size":'), 'config.json is not JSON'],
  ]
  for (const [i, [damage, why]] of damages.entries()) {
    const damaged = join(temporary, `damaged-${i}`)
    cpSync(folder, damaged, { recursive: true })
    damage(damaged)
    const child = serve(`tiny=${damaged}`, '--port', '0', '--backend', 'cpu')
    expect(await child.exited).toBe(1)
    const text = await new Response(child.stderr).text()
    expect(text).toStartWith('vitral serve: ')
    expect(text).toContain(why)
    expect(text.trim()).not.toContain('\n')
    expect(await new Response(child.stdout).text()).not.toContain('listening')
  }
}, 300_000)

test.each([
  [['--port', 'x'], "--port is 'x'; expected a whole number of at least 0."],
  [['--host', '0.0.0.0'], 'host is 0.0.0.0, which others can reach'],
  [['--max-batch-size', '0'], "--max-batch-size is '0'; expected a whole number of at least 1."],
  [['--set', 'limits'], "--set is 'limits'; expected FIELD=VALUE"],
  [['--set', 'limits.none=1'], 'The configuration is wrong: limits:'],
  [['--precision', 'float8'], "--precision is 'float8'"],
])('%j is refused in one line', async (args, message) => {
  const child = serve(`tiny=${folder}`, ...args)
  expect(await child.exited).toBe(1)
  const text = await new Response(child.stderr).text()
  expect(text).toStartWith('vitral serve: ')
  expect(text).toContain(message)
  expect(text.trim()).not.toContain('\n')
})

test("vitral serve --help shows the defaults of the server's configuration", async () => {
  const help = await new Response(serve('--help').stdout).text()
  expect(help).toMatch(/--port N +port to listen on, 0 for any \(8000\)\n/)
  expect(help).toMatch(/--queue-size N +images that may wait; more are refused \(256\)\n/)
  expect(help).toMatch(/--allow-without-key +[^(\n]+\n/)
})
