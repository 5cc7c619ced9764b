/** The packed packages in every bundler: it builds them by its defaults, without a word about them, and the page runs. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, installed, launch } from '../../packages/core/test/browsers.ts'
import { packedProject, runIn } from './packed-project.ts'
import { type Site, serveSite, waitingRoom } from './site.ts'

const bundlers = ['vite5', 'vite7', 'vite8', 'webpack', 'esbuild', 'bun'] as const

describe.skipIf(!installed(chromium))('in Chromium', () => {
  let project: string
  let site: Site
  let close: () => Promise<void>
  let expected: number[]
  let server: Bun.Subprocess<'ignore', 'pipe', 'inherit'> | undefined
  let address: string

  const folderOf = (bundler: string): string => join(project, 'built', bundler)

  beforeAll(async () => {
    project = await packedProject()
    for (const name of ['page', 'build-page.mjs'])
      cpSync(join(import.meta.dir, name), join(project, name), { recursive: true })
    const program = "import { classify } from './page/classify.js'; console.log(JSON.stringify(await classify('auto')))"
    expected = JSON.parse(await runIn(project, [process.execPath, '-e', program])).logits
    const built = bundlers.map(name => [`/${name}/`, { folder: folderOf(name) }] as const)
    site = serveSite({
      ...Object.fromEntries(built),
      '/dev/': request => fetch(request.url.replace(site.origin, address)),
    })
    close = launch(chromium, site.origin + waitingRoom)
  }, 240_000)

  afterAll(async () => {
    await close?.()
    server?.kill()
    await site?.stop()
  })

  async function expectResult(path: string): Promise<void> {
    const { logits, loaded } = JSON.parse(await site.visit(path))
    expect(logits.length).toBe(expected.length)
    for (const [i, logit] of logits.entries()) expect(logit).toBeCloseTo(expected[i] as number, 5)
    expect(loaded.map((value: number) => value.toFixed(1))).toEqual(['0.0', '0.6', '0.2', '0.8', '0.4', '1.0'])
  }

  for (const bundler of bundlers)
    test(`${bundler} builds the page, which computes the logits of Bun and loads in a worker`, async () => {
      const runtime = bundler === 'bun' ? process.execPath : 'node'
      const printed = await runIn(project, [runtime, 'build-page.mjs', bundler, folderOf(bundler), 'page'])
      expect(printed).not.toContain('@vitral')
      for (const script of scriptsIn(folderOf(bundler))) expect(/['"`]node:\w.*/.exec(script)?.[0]).toBeUndefined()
      await expectResult(`/${bundler}/`)
    }, 240_000)

  // The oldest, which gathers packages before it serves them and breaks their new URL('…', import.meta.url).
  test("Vite 5's development server serves the page too", async () => {
    const vite = join(project, 'node_modules/vite5/bin/vite.js')
    server = Bun.spawn(['node', vite, 'page', '--port', '0', '--base', '/dev/'], { cwd: project, stdout: 'pipe' })
    address = await addressPrinted(server.stdout)
    await expectResult('/dev/')
  }, 240_000)
})

/** The address of this machine that a server prints when it is ready. */
async function addressPrinted(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let printed = ''
  for await (const bytes of output) {
    printed += Bun.stripANSI(new TextDecoder().decode(bytes))
    const address = /http:\/\/localhost:\d+/.exec(printed)?.[0]
    if (address) return address
  }
  throw new Error(`the server ended without an address: ${printed}`)
}

const scriptsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.js'))
    .map(file => readFileSync(join(folder, file), 'utf8'))
