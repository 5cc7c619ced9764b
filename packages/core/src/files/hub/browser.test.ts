/** Loading a model by its address in Chromium and in Firefox: once over the network, then from Cache Storage. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { browsers, resultsIn } from '../../../test/browser-results.ts'
import { type LoadAnswer, loadModel } from '../../../test/load-model.ts'

const folder = join(import.meta.dir, '../../../test/fixtures/square/model')

describe.each(browsers)('in %s', (_, browser) => {
  test.skipIf(!browser.program)(
    'a model is downloaded once, and loads from the cache when its server fails',
    async () => {
      const asked: string[] = []
      let fails = false
      const answer = ({ method, url }: Request): Response => {
        const { pathname } = new URL(url)
        if (pathname === '/fail') fails = true
        const [, file] = /^\/model\/([\w.]+)$/.exec(pathname) ?? []
        if (!file) return new Response()
        asked.push(`${method} ${file}`)
        if (fails) return new Response('', { status: 503 })
        const bytes = readFileSync(join(folder, file))
        return new Response(method === 'HEAD' ? null : bytes, {
          headers: { etag: '"1"', 'content-length': `${bytes.length}` },
        })
      }
      const { values } = await loadModel({ source: folder })
      const [first, second, third] = await resultsIn<LoadAnswer[]>(
        browser,
        join(import.meta.dir, '../../../test/load-page.ts'),
        answer,
      )
      expect([first?.error, second?.error, third?.error]).toEqual([undefined, undefined, undefined])
      for (const loaded of [first, second, third])
        expect(loaded?.values?.map(value => value.toFixed(4))).toEqual(values?.map(value => value.toFixed(4)))
      expect(asked.filter(line => line.startsWith('GET'))).toEqual(['GET config.json', 'GET model.safetensors'])
      expect(third?.warnings).toEqual([expect.stringContaining("Using the copy in the cache 'vitral'.")])
    },
    120_000,
  )
})
