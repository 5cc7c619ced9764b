/** The package as npm delivers it, on a machine that has Node, npm and Bun, and no compiler. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeBuilds, packPackages } from '../../../scripts/pack.ts'
import { manifestOf, type PackedPackage } from '../../../scripts/tarball.ts'

const platform = `${process.platform}-${process.arch}`
const foreign = platform === 'darwin-arm64' ? 'linux-arm64' : 'darwin-arm64'
const program = join(import.meta.dir, '../test/packed-program.mjs')
const scratch = mkdtempSync(join(tmpdir(), 'vitral-packed-'))
const project = join(scratch, 'project')
const installed = join(project, 'node_modules', '@vitral')
let packed: PackedPackage[]

/** Runs a command in the project, with nothing on the PATH but what the test needs. */
function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { CXX: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: project,
    env: { ...env, PATH: join(scratch, 'bin') },
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

function install(...options: string[]): void {
  rmSync(join(project, 'node_modules'), { recursive: true, force: true })
  const { status, output } = run('npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error', ...options)
  if (status !== 0) throw new Error(`npm install ended with ${status}:\n${output}`)
}

beforeAll(() => {
  for (const folder of ['bin', 'project', `builds/${platform}`, `builds/${foreign}`])
    mkdirSync(join(scratch, folder), { recursive: true })
  for (const name of ['node', 'npm', 'sh']) symlinkSync(Bun.which(name) ?? '', join(scratch, 'bin', name))
  symlinkSync(process.execPath, join(scratch, 'bin', 'bun'))
  copyFileSync(join(nativeBuilds, platform, 'vitral.node'), join(scratch, 'builds', platform, 'vitral.node'))
  writeFileSync(join(scratch, 'builds', foreign, 'vitral.node'), 'the binary of another platform')
  packed = packPackages(join(scratch, 'tarballs'), join(scratch, 'builds'))

  const tarballs = packed.map(({ name, tarball }) => [name, `file:${tarball}`] as const)
  const needed = ['@vitral/core', '@vitral/backend-node']
  const dependencies = Object.fromEntries(tarballs.filter(([name]) => needed.includes(name)))
  const manifest = {
    private: true,
    dependencies: { ...dependencies, '@tensorflow/tfjs-core': '4.22.0' },
    overrides: Object.fromEntries(tarballs),
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  copyFileSync(program, join(project, 'program.mjs'))
  install()
}, 120_000)

afterAll(() => rmSync(scratch, { recursive: true }))

test('every platform that was built is an optional dependency, of the version of the package itself', () => {
  const backend = packed.find(({ name }) => name === '@vitral/backend-node') as PackedPackage
  const { version, optionalDependencies } = JSON.parse(manifestOf(backend.tarball))
  const expected = [platform, foreign].map(built => [`@vitral/backend-node-${built}`, version])
  expect(optionalDependencies).toEqual(Object.fromEntries(expected))
  const names = packed.map(({ name }) => name)
  for (const [name] of expected) {
    expect(names.indexOf(name)).toBeGreaterThanOrEqual(0)
    expect(names.indexOf(name)).toBeLessThan(names.indexOf('@vitral/backend-node'))
  }
})

test('npm installs the binary of this platform and of no other, and nothing is built', () => {
  expect(existsSync(join(installed, `backend-node-${platform}`, 'vitral.node'))).toBe(true)
  expect(existsSync(join(installed, `backend-node-${foreign}`))).toBe(false)
  expect(existsSync(join(installed, 'backend-node', 'build'))).toBe(false)
  const { status, output } = run('node', join(installed, 'backend-node/dist/build-native.js'), '--require')
  expect([status, output]).toEqual([1, expect.stringContaining('No C++ compiler was found')])
})

test.skipIf(process.platform !== 'linux')('the binary brings the C++ library it was built with', () => {
  const binary = readFileSync(join(installed, `backend-node-${platform}`, 'vitral.node'))
  expect([binary.includes('libc.so.6'), binary.includes('libstdc++.so')]).toEqual([true, false])
})
if (process.platform !== 'linux') console.log('skipped the C++ library inside: only Linux has it from the distribution')

for (const runtime of ['node', 'bun'])
  test(`an image is classified in ${runtime}, with the logits that this checkout computes`, () => {
    const { status, output } = run(runtime, 'program.mjs')
    const here = spawnSync(process.execPath, [program], { encoding: 'utf8' }).stdout
    expect([status, output]).toEqual([0, here])
    expect(JSON.parse(output).logits.length).toBe(5)
  })

test('what was built on the machine is loaded before the package', () => {
  const local = join(installed, 'backend-node/build', platform)
  mkdirSync(local, { recursive: true })
  copyFileSync(join(scratch, 'builds', platform, 'vitral.node'), join(local, 'vitral.node'))
  writeFileSync(join(installed, `backend-node-${platform}`, 'vitral.node'), 'not a binary')
  expect(run('node', 'program.mjs').status).toBe(0)
})

test('the command the package has builds the same', () => {
  cpSync(nativeBuilds, join(installed, 'backend-node/build'), { recursive: true }) // most of it has not changed since
  const built = spawnSync('npx', ['vitral-build-native', '--require'], { cwd: project, encoding: 'utf8' })
  expect([built.status, built.stdout]).toEqual([0, expect.stringContaining('Native kernels: ')])
})

test('where neither is, the error says how to build', () => {
  install('--omit=optional')
  const { status, output } = run('node', 'program.mjs')
  expect(status).toBe(1)
  expect(output).toContain(`There are no native kernels for ${platform} here`)
  expect(output).toContain(`there is no @vitral/backend-node-${platform}`)
  expect(output).toContain('npx vitral-build-native')
  expect(output).not.toContain('is not installed')
})
