/** The pages for people, from the folder page; they load nothing from other servers. */
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'

const files = {
  '/': ['index.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  '/page.js': ['page.js', 'text/javascript'],
  '/docs': ['docs.html', 'text/html'],
  '/docs.js': ['docs.js', 'text/javascript'],
} as const

/** Paths that need no key: they contain nothing that is not in the package. */
export const pagePaths: readonly string[] = [...Object.keys(files), '/openapi.json']

export function pageRoutes(): Hono {
  const app = new Hono()
  for (const [path, [name, type]] of Object.entries(files)) {
    const text = readFileSync(new URL(`../page/${name}`, import.meta.url), 'utf8')
    app.get(path, context => context.body(text, 200, { 'Content-Type': `${type}; charset=utf-8` }))
  }
  return app
}
