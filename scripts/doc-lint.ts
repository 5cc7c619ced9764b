/**
 * Refuses a public name without a docstring, members of interfaces and classes included, by `deno doc --lint`. Its other
 * findings are no faults here: types that the public ones are made of need no name of their own.
 *
 *     bun scripts/doc-lint.ts
 */
import { Glob } from 'bun'

type Entry = string | { [condition: string]: Entry }

/** The source of an entry, under whichever of its conditions it is. */
const sourceOf = (entry: Entry): string | undefined =>
  typeof entry === 'string' ? (/\.ts$/.test(entry) ? entry : undefined) : sourceOf(entry.bun ?? entry.default ?? '')

async function sourcesOf(manifest: string): Promise<string[]> {
  const { exports = {} } = (await Bun.file(manifest).json()) as { exports?: Record<string, Entry> }
  return Object.values(exports)
    .flatMap(entry => sourceOf(entry) ?? [])
    .map(path => manifest.replace('package.json', path.slice(2)))
}

const manifests = [...new Glob('{packages,apps}/*/package.json').scanSync()].sort()
const sources = (await Promise.all(manifests.map(sourcesOf))).flat()
const { stdout, stderr } = Bun.spawnSync(['bunx', 'deno', 'doc', '--lint', '--no-lock', ...sources], {
  env: { ...process.env, NO_COLOR: '1' },
})
const output = `${stdout}${stderr}`
const missing = [...output.matchAll(/error\[missing-jsdoc\][^\n]*\n\s*--> (\S+)/g)].map(([, place = '']) =>
  place.replace(`${process.cwd()}/`, ''),
)
for (const place of missing) console.error(`${place} has no docstring.`)
// Without a finding of any kind the tool has read nothing, or writes its findings in another way.
if (!/error\[/.test(output)) throw new Error(`deno doc gave no findings to read: ${output.slice(0, 500)}`)
console.log(`${sources.length} entries, ${missing.length} public names without a docstring.`)
process.exitCode = missing.length > 0 ? 1 : 0
