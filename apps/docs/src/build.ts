/** Writes the generated pages to dist/: `bun src/build.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { opRows, opsPage } from './ops-table.ts'
import { recipePage, recipeRows } from './recipe-page.ts'

const dist = resolve(import.meta.dirname, '../dist')
mkdirSync(dist, { recursive: true })
writeFileSync(join(dist, 'ops.md'), opsPage(opRows()))
writeFileSync(join(dist, 'recipe.md'), recipePage(recipeRows()))
