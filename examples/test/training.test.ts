/** Training in a page that the packed packages were built into: by every bundler in Chromium, and by Vite in Firefox too. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, firefox, installed, launch } from '../../packages/core/test/browsers.ts'
import { packedProject, runIn } from './packed-project.ts'
import { type Site, serveSite, waitingRoom } from './site.ts'

const builtBy = { Chromium: ['vite5', 'vite7', 'vite8', 'webpack', 'esbuild', 'bun'], Firefox: ['vite8'] }

for (const browser of [chromium, firefox])
  describe.skipIf(!installed(browser))(`training in ${browser.name}`, () => {
    let project: string
    let site: Site
    let close: () => Promise<void>

    const folderOf = (bundler: string): string => join(project, 'trains', bundler)

    beforeAll(async () => {
      project = await packedProject()
      for (const name of ['training-page', 'build-page.mjs'])
        cpSync(join(import.meta.dir, name), join(project, name), { recursive: true })
      const built = builtBy[browser.name].map(name => [`/${name}/`, { folder: folderOf(name) }] as const)
      site = serveSite(Object.fromEntries(built))
      close = launch(browser, site.origin + waitingRoom)
    }, 240_000)

    afterAll(async () => {
      await close?.()
      await site?.stop()
    })

    for (const bundler of builtBy[browser.name])
      test(`a page built by ${bundler} trains, stops, goes on and has the model as a zip`, async () => {
        const command = [
          bundler === 'bun' ? process.execPath : 'node',
          'build-page.mjs',
          bundler,
          folderOf(bundler),
          'training-page',
        ]
        expect(await runIn(project, command)).not.toContain('@vitral')
        const result = JSON.parse(await site.visit(`/${bundler}/`))
        const expected = { stopped: false, started: [false, true], finished: true, accuracy: 1, zipped: true }
        expect(result).toEqual(expected)
      }, 240_000)
  })
