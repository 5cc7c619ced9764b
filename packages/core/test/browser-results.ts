/** A page run in a real browser without a window, which posts what it found: for browsers that no tool drives as Chromium is. */
import { build } from 'esbuild'
import { chromium, firefox, installed, launch, type TestBrowser } from './browsers.ts'

/** Browsers by name; those without a program are not installed, which has been said. */
export const browsers: readonly (readonly [name: string, browser: TestBrowser])[] = [chromium, firefox].map(browser => {
  installed(browser)
  return [browser.name, browser]
})

/**
 * @param entry of the page's script, which posts its results to /results as JSON
 * @param answer to every other request of the page
 */
export async function resultsIn<T>(
  browser: TestBrowser,
  entry: string,
  answer: (request: Request) => Response | Promise<Response>,
): Promise<T> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser', // nothing of Node may be needed
    conditions: ['bun'], // the sources, so that no build is needed first
    external: ['@vitral/backend-web'],
    logLevel: 'error',
  })
  const { promise, resolve } = Promise.withResolvers<T>()
  const server = Bun.serve({
    port: 0,
    maxRequestBodySize: 2 ** 29,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/page.js')
        return new Response(outputFiles[0]?.text, { headers: { 'content-type': 'text/javascript' } })
      if (pathname === '/')
        return new Response('<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>', {
          headers: { 'content-type': 'text/html' },
        })
      if (pathname !== '/results') return answer(request)
      resolve((await request.json()) as T)
      return new Response()
    },
  })
  const close = launch(browser, `http://localhost:${server.port}/`)
  try {
    return await promise
  } finally {
    await close()
    await server.stop(true)
  }
}
