/** The packages as npm would deliver them, installed by npm into an empty project, in plain Node and in Bun. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackages } from '../../../scripts/pack.ts'
import type { PackedPackage } from '../../../scripts/tarball.ts'

const root = join(import.meta.dir, '../../..')
const project = mkdtempSync(join(tmpdir(), 'vitral-packed-'))
let packed: PackedPackage[]

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: project, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`)
  return stdout
}

beforeAll(() => {
  packed = packPackages(join(project, 'tarballs'))
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const manifest = {
    private: true,
    type: 'module',
    dependencies: { ...dependencies, '@tensorflow/tfjs-core': '4.22.0' },
    overrides: dependencies,
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error')
  cpSync(join(import.meta.dir, './packed-program.mjs'), join(project, 'program.mjs'))
}, 180_000)

afterAll(() => rmSync(project, { recursive: true }))

test('tarballs hold what runs, and neither tests nor workspace versions', () => {
  const native = `backend-node-${process.platform}-${process.arch}`
  expect(packed.map(({ name }) => name).sort()).toEqual(
    ['backend-node', native, 'backend-web', 'browser', 'core', 'datasets', 'server', 'trainer'].map(
      name => `@vitral/${name}`,
    ),
  )
  for (const { name, tarball } of packed) {
    const files = run('tar', 'tzf', tarball).trim().split('\n')
    const entries: Record<string, string> = {
      [`@vitral/${native}`]: 'vitral.node',
      '@vitral/server': 'src/index.ts',
      '@vitral/browser': 'dist/core.js',
    }
    expect(files).toContain(`package/${entries[name] ?? 'dist/index.js'}`)
    expect(files).toContain('package/LICENSE')
    if (name === '@vitral/trainer')
      for (const path of ['src/dashboard/page/index.html', 'recipe.schema.json'])
        expect(files).toContain(`package/${path}`)
    expect(files.filter(path => /\.test\.|fixtures|tsbuildinfo|cifar10-sample/.test(path))).toEqual([])
  }
})

test('the manifest of each can be read, by its name', () => {
  const names = JSON.stringify(packed.map(({ name }) => name))
  const program = `console.log(${names}.map(name => require(name + '/package.json').name).join())`
  expect(run('node', '--input-type=commonjs', '-e', program).trim()).toBe(packed.map(({ name }) => name).join())
})

test('there is one tfjs-core', () => {
  const copies = run('find', '.', '-path', '*/@tensorflow/tfjs-core/package.json').trim().split('\n')
  expect(copies).toEqual(['./node_modules/@tensorflow/tfjs-core/package.json'])
})

for (const runtime of ['node', process.execPath])
  test(`a program trains and saves a model in ${runtime === 'node' ? 'Node' : 'Bun'}`, () => {
    const folder = join(project, `model-${runtime === 'node' ? 'node' : 'bun'}`)
    const image = join(
      root,
      'examples/images',
      readdirSync(join(root, 'examples/images')).filter(name => name.endsWith('.png'))[0] as string,
    )
    const { name, losses } = JSON.parse(run(runtime, 'program.mjs', image, folder)) as {
      name: string
      losses: number[]
    }
    expect(name).toBe('native')
    expect(losses.length).toBe(4)
    expect(losses[3]).toBeLessThan(losses[0] as number)
    for (const file of ['config.json', 'model.safetensors', 'preprocessor_config.json'])
      expect(existsSync(join(folder, file))).toBe(true)
  }, 60_000)

test('the server runs in Bun, its page with it', () => {
  const program = `const { startServer } = await import('@vitral/server')
    const engine = { models: () => [], ready: () => true, load: () => [], close: async () => {} }
    const server = await startServer({ port: 0, models: [{ name: 'none', folder: 'none' }] }, { engine })
    console.log(await (await fetch(server.url)).text())
    await server.stop()`
  expect(run(process.execPath, '-e', program)).toContain('<title>')
})

test('the vitral command runs in Node', () => {
  expect(run('npx', 'vitral', '--help')).toContain('train')
})
