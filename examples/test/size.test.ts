/** Budgets for the JavaScript of a page: what a user waits for before anything runs. */
import { beforeAll, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'bun'
import type { BuildOptions, BuildResult } from 'esbuild'
import { packedProject } from './packed-project.ts'

/** Bytes of gzip. */
const budgets = { ours: 90_000, kernels: 250_000, engine: 110_000 }

let project: string
let build: (options: BuildOptions) => Promise<BuildResult<{ write: false; metafile: true }>>

beforeAll(async () => {
  project = await packedProject()
  copyFileSync(join(import.meta.dir, 'size-app.js'), join(project, 'size-app.js'))
  build = (await import(join(project, 'node_modules/esbuild/lib/main.js'))).build
}, 240_000)

const bundle = (external: string[]): ReturnType<typeof build> =>
  build({
    absWorkingDir: project,
    entryPoints: ['size-app.js'],
    outdir: 'size',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
    external,
  })

const gzipped = (files: readonly { contents: Uint8Array }[]): number =>
  files.reduce((sum, { contents }) => sum + gzipSync(contents as Uint8Array<ArrayBuffer>).length, 0)

test(`an app that classifies has at most ${budgets.ours} bytes of JavaScript beside the tensor engine's, none of it Node's`, async () => {
  const { outputFiles, metafile, warnings } = await bundle(['@tensorflow/*'])
  expect(warnings).toEqual([])
  const loaded = loadedBy(metafile.outputs)
  const size = gzipped(outputFiles.filter(({ path }) => loaded.has(path)))
  console.log(`Vitral's share of an app that classifies: ${size} bytes of gzip`)
  expect(size).toBeLessThanOrEqual(budgets.ours)
  for (const { text } of outputFiles) expect(/['"`]node:\w.*/.exec(text)?.[0].slice(0, 80)).toBeUndefined()
})

test(`the kernels, of which a page loads one set, are at most ${budgets.kernels} bytes`, async () => {
  const { outputFiles, metafile } = await bundle(['@tensorflow/*'])
  for (const file of outputFiles.filter(({ path }) => kernelsIn(metafile).has(path)))
    expect(gzipped([file])).toBeLessThanOrEqual(budgets.kernels)
})

test(`the tensor engine adds at most ${budgets.engine} bytes`, async () => {
  const [whole, ours] = [await bundle([]), await bundle(['@tensorflow/*'])]
  const sizeOf = ({ outputFiles, metafile }: Awaited<ReturnType<typeof bundle>>): number => {
    const loaded = loadedBy(metafile.outputs)
    return gzipped(outputFiles.filter(({ path }) => loaded.has(path)))
  }
  const size = sizeOf(whole) - sizeOf(ours)
  console.log(`The tensor engine's share: ${size} bytes of gzip`)
  expect(size).toBeLessThanOrEqual(budgets.engine)
})

type Metafile = BuildResult<{ metafile: true }>['metafile']

/** WebAssembly, which travels as text in modules of its own. */
const kernelsIn = ({ outputs }: Metafile): Set<string> =>
  new Set(
    Object.entries(outputs)
      .filter(([, { entryPoint }]) => entryPoint?.includes('/wasm/binaries/'))
      .map(([path]) => join(project, path)),
  )

/** The files that a page loads which computes on wasm, kernels apart: of what is imported later it needs the package that has it. */
function loadedBy(outputs: Metafile['outputs']): Set<string> {
  const files = new Set<string>()
  const add = (path: string): void => {
    const output = outputs[path]
    if (!output || files.has(join(project, path))) return
    files.add(join(project, path))
    for (const { path: imported, kind } of output.imports)
      if (kind === 'import-statement' || outputs[imported]?.entryPoint?.endsWith('/backend-web/dist/index.js'))
        add(imported)
  }
  add('size/size-app.js')
  return files
}
