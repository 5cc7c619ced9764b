/** The examples' pages, and the README's first example in a page, on the packed packages, in every browser there is. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, firefox, installed, launch } from '../../packages/core/test/browsers.ts'
import { hubOf } from './hub.ts'
import { packedProject, runIn } from './packed-project.ts'
import { firstExample } from './readme.ts'
import { type Mount, type Site, serveSite, waitingRoom } from './site.ts'

const examples = join(import.meta.dir, '..')
const browsers = [chromium, firefox]

/** For the README's page: what it prints is shown, and the hub is the test's. */
const readmeHead = `<script>{
  console.log = text => { document.querySelector('output').textContent = text }
  const { fetch } = globalThis
  globalThis.fetch = (url, init) => fetch(String(url).replace('https://huggingface.co/', '/hub/'), init)
}</script>`

describe.skipIf(browsers.every(({ program }) => !program))('pages', () => {
  let mounts: Record<string, Mount>
  let cdn: ReturnType<typeof Bun.serve>

  beforeAll(async () => {
    const project = await packedProject()
    const bundle = join(project, 'node_modules/@vitral/browser/dist')
    cdn = serveCdn(bundle)
    const pages = join(project, 'pages')
    const plainPage = readFileSync(join(examples, 'plain-page/index.html'), 'utf8')
    const importMap = /<script type="importmap">.*?<\/script>/s.exec(plainPage)?.[0] ?? ''
    const page = (name: string, html: string): string => {
      const folder = join(pages, name)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'index.html'), html)
      addModelAndImage(folder)
      return folder
    }
    const plain = page('plain', plainPage)
    const readmePlain = page('readme-plain', readmePage(importMap, `<script type="module">${firstExample}</script>`))
    for (const folder of [plain, readmePlain]) cpSync(bundle, join(folder, 'vitral'), { recursive: true })
    const fromCdn = page('cdn', plainPage.replaceAll('./vitral/', `http://localhost:${cdn.port}/`))

    cpSync(join(examples, 'vite-page'), join(pages, 'vite-page'), { recursive: true })
    const readmeVite = page('readme-vite', readmePage('', '<script type="module" src="./main.js"></script>'))
    writeFileSync(join(readmeVite, 'main.js'), firstExample)
    const [vite, readme] = [await build(project, 'vite-page'), await build(project, 'readme-vite')]
    for (const folder of [vite, readme]) addModelAndImage(folder)

    mounts = {
      '/vite/': { folder: vite },
      '/vite-isolated/': { folder: vite, isolated: true },
      '/plain/': { folder: plain },
      '/plain-isolated/': { folder: plain, isolated: true },
      '/cdn/': { folder: fromCdn },
      '/cdn-isolated/': { folder: fromCdn, isolated: true },
      '/readme-vite/': { folder: readme },
      '/readme-plain/': { folder: readmePlain },
      '/hub/': hubOf(join(examples, 'pretrained')),
    }
  }, 240_000)

  afterAll(() => cdn?.stop(true))

  for (const browser of browsers)
    describe.skipIf(!installed(browser))(browser.name, () => {
      let site: Site
      let close: () => Promise<void>
      beforeAll(() => {
        site = serveSite(mounts) // one each: a request of a browser that was ended may seem to wait still
        close = launch(browser, site.origin + waitingRoom)
      })
      afterAll(async () => {
        await close?.()
        await site?.stop()
      })

      for (const name of ['vite', 'plain', 'cdn'])
        for (const isolated of [false, true])
          test(`the ${name} page classifies an image${isolated ? ' where it is cross-origin isolated' : ''}`, async () => {
            expect(await site.visit(`/${name}${isolated ? '-isolated' : ''}/`)).toStartWith('cat.png: cat 91.8 %')
          }, 240_000)

      for (const name of ['readme-vite', 'readme-plain'])
        test(`the README's first example runs as it is written (${name})`, async () => {
          expect(await site.visit(`/${name}/`)).toBe('cat')
        }, 240_000)
    })
})

/** A server of another origin, with the headers that a CDN sends. */
const serveCdn = (folder: string): ReturnType<typeof Bun.serve> =>
  Bun.serve({
    port: 0,
    async fetch({ url }) {
      const file = Bun.file(join(folder, new URL(url).pathname))
      const headers = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
      return (await file.exists()) ? new Response(file, { headers }) : new Response('', { status: 404, headers })
    },
  })

function addModelAndImage(folder: string): void {
  cpSync(join(examples, 'pretrained'), join(folder, 'model'), { recursive: true })
  // The bytes say what an image is, not the name.
  for (const name of ['cat.png', 'cat.jpg']) cpSync(join(examples, 'images/cat.png'), join(folder, name))
}

const readmePage = (head: string, script: string): string =>
  `<!doctype html><html><head>${head}${readmeHead}</head><body><output></output>${script}</body></html>`

/** Builds a page with the newest Vite, as `vite build` does. */
async function build(project: string, name: string): Promise<string> {
  const built = join(project, 'pages', name, 'dist')
  const vite = join(project, 'node_modules/vite8/bin/vite.js')
  await runIn(join(project, 'pages', name), ['node', vite, 'build', '--base', './', '--logLevel', 'warn'])
  return built
}
