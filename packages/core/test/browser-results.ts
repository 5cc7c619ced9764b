/** A page run in a real browser without a window, which posts what it found: for browsers that no tool drives as Chromium is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const found = (...paths: string[]): string | undefined => paths.find(existsSync)

/** Browsers by name, with their programs where they are installed. */
export const browsers: readonly (readonly [name: 'Chromium' | 'Firefox', program: string | undefined])[] = [
  ['Chromium', found('/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome')],
  ['Firefox', found('/usr/bin/firefox-esr', '/usr/bin/firefox')],
]

for (const [name, program] of browsers) if (!program) console.log(`skipped what runs in ${name}: it is not in /usr/bin`)

const flags = { Chromium: ['--headless', '--no-sandbox', '--no-first-run'], Firefox: ['--headless', '--no-remote'] }

/**
 * @param entry of the page's script, which posts its results to /results as JSON
 * @param answer to every other request of the page
 */
export async function resultsIn<T>(
  [name, program]: (typeof browsers)[number],
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
  const profile = mkdtempSync(join(tmpdir(), 'vitral-browser-'))
  const ownProfile = name === 'Firefox' ? ['--profile', profile] : [`--user-data-dir=${profile}`]
  // A process group of its own: both browsers start many processes, and all of them are to end.
  const browser = spawn(program as string, [...flags[name], ...ownProfile, `http://localhost:${server.port}/`], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, HOME: profile },
  })
  try {
    return await promise
  } finally {
    await end(browser)
    await server.stop(true)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function end(browser: ChildProcess): Promise<void> {
  const ended = browser.exitCode === null ? once(browser, 'exit') : undefined
  try {
    process.kill(-(browser.pid as number), 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
  await ended
}
