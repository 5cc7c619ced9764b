/** A project with the packed packages and every bundler, installed once for all tests of this folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packPackages } from '../../scripts/pack.ts'

/** Exact versions, so that a new one breaks no build of an old commit. */
const tools = {
  vite5: 'npm:vite@5.4.9',
  vite7: 'npm:vite@7.3.8',
  vite8: 'npm:vite@8.4.0',
  webpack: '5.113.0',
  esbuild: '0.27.0',
}

/** What a page or a script of the README installs; backend-web comes with backend-node. */
const used = ['core', 'backend-node', 'browser', 'datasets', 'trainer'].map(name => `@vitral/${name}`)

let project: Promise<string> | undefined

/**
 * Packs what this checkout has built, and installs it with npm as a user would.
 *
 * @returns the project's folder, which goes with the process
 */
export function packedProject(): Promise<string> {
  project ??= install()
  return project
}

async function install(): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'vitral-examples-'))
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
  const tarballs = packPackages(join(scratch, 'tarballs')).map(
    ({ name, tarball }) => [name, `file:${tarball}`] as const,
  )
  const folder = join(scratch, 'project')
  mkdirSync(folder)
  const dependencies = Object.fromEntries(tarballs.filter(([name]) => used.includes(name)))
  const manifest = {
    private: true,
    type: 'module',
    dependencies: { ...dependencies, '@tensorflow/tfjs-core': '4.22.0' },
    devDependencies: tools,
    overrides: Object.fromEntries(tarballs), // of each other they want versions that are not published yet
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  await runIn(folder, ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'])
  return folder
}

/**
 * Runs a command and returns what it printed.
 *
 * @throws with its output, when it fails
 */
export async function runIn(folder: string, command: string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(command, { cwd: folder, env: { ...process.env, ...env }, stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const status = await child.exited
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout + stderr
}
