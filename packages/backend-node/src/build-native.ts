#!/usr/bin/env node
/**
 * Compiles the native addon from source with the system's C++ compiler into build/<platform>-<arch>/vitral.node.
 *
 *   npx vitral-build-native [--require]
 *
 * CXX in the environment names the compiler, and CXXFLAGS has further flags for compiling and linking.
 * What has not changed is not compiled again. Without a compiler it says so and succeeds, since Vitral then runs on
 * WebAssembly; with --require that is an error.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'

interface Compilation {
  source: string
  flags: string[]
  object: string
}

const root = resolve(import.meta.dirname, '..')
const native = join(root, 'native')
const target = join(root, 'build', `${process.platform}-${process.arch}`)
const objects = join(target, 'objects')
const output = join(target, 'vitral.node')

/** -ffp-contract=fast lets a·b + c become one instruction; the other two keep errno and traps out of the loops. */
const commonFlags = [
  '-O3',
  '-std=c++20',
  '-fPIC',
  '-pthread',
  '-ffp-contract=fast',
  '-fno-math-errno',
  '-fno-trapping-math',
]

const furtherFlags = process.env.CXXFLAGS?.split(/\s+/).filter(Boolean) ?? []
const avx512 = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma']

/** Images become the same bytes on every machine: there each product and each sum is rounded by itself. */
const imageFlags = ['-ffp-contract=off']

/** Every kernel is compiled once for each of these; the CPU chooses when the addon is loaded. */
const instructionSets: Record<string, string[]> = {
  portable: [],
  ...(process.arch === 'x64' && {
    avx2: ['-mavx2', '-mfma'],
    avx512,
    avx512bf16: [...avx512, '-mavx512bf16'],
    amx: [...avx512, '-mamx-tile', '-mamx-bf16'],
  }),
}

const linkFlags: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['-shared', '-pthread', '-Wl,-z,nodelete'], // the threads outlive an unload
  darwin: ['-dynamiclib', '-undefined', 'dynamic_lookup'],
}

/**
 * With the C++ library inside, the binary runs where that library is older, or not there. What is not called of it has
 * to go: it asks for a newer C library than the rest.
 */
const selfContained: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['-static-libstdc++', '-Wl,--exclude-libs,ALL', '-Wl,--gc-sections'],
}

await main()

async function main(): Promise<void> {
  const compiler = findCompiler()
  if (!compiler || !linkFlags[process.platform]) return withoutCompiler()
  mkdirSync(objects, { recursive: true })
  const all = compilations(compiler)
  const signature = createHash('sha256')
    .update(JSON.stringify([all.map(({ object }) => object), linkFlags, selfContained]))
    .digest('hex')
    .slice(0, 16)
  const stamped = join(objects, `vitral-${signature}.node`)
  if (!existsSync(stamped)) {
    const stale = all.filter(({ object }) => !existsSync(object))
    console.log(`Compiling ${stale.length} of ${all.length} native sources with ${compiler}…`)
    await inParallel(stale, job => compile(compiler, job))
    link(compiler, all, stamped)
  }
  install(stamped)
  removeAllBut([...all.map(({ object }) => object), stamped])
  console.log(`Native kernels: ${output}`)
}

function findCompiler(): string | undefined {
  const candidates = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++']
  return candidates.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

function withoutCompiler(): void {
  const message =
    process.platform === 'win32'
      ? 'Vitral has no native kernels for Windows yet.'
      : `No C++ compiler was found${process.env.CXX ? ` at CXX=${process.env.CXX}` : ' (g++, clang++, c++)'}; install one (on Debian: apt-get install g++) and build again.`
  if (process.argv.includes('--require')) {
    console.error(message)
    process.exit(1)
  }
  console.warn(
    `${message} Until then useBackend('auto') takes the same kernels as WebAssembly, which are slower: vectors are shorter there.`,
  )
}

/** Every object of the addon: one of each source, or one for each instruction set. */
function compilations(compiler: string): Compilation[] {
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout
  const nodeHeaders = dirname(createRequire(import.meta.url).resolve('node-api-headers/include/node_api.h'))
  const base = JSON.stringify([version, commonFlags, furtherFlags])
  const compilation = (source: string, prefix: string, flags: string[]): Compilation => {
    const hash = createHash('sha256').update(base).update(flags.join())
    for (const path of withIncluded(source)) hash.update(readFileSync(path))
    const name = `${prefix}-${basename(dirname(source))}-${basename(source, '.cpp')}`
    return { source, flags, object: join(objects, `${name}-${hash.digest('hex').slice(0, 16)}.o`) }
  }
  return sources().flatMap(source => {
    if (!isPerInstructionSet(source)) return compilation(source, 'base', [`-I${nodeHeaders}`])
    const more = basename(dirname(source)) === 'images' ? imageFlags : []
    return Object.entries(instructionSets).map(([name, flags]) =>
      compilation(source, name, [`-DVITRAL_ISA=${name}`, ...flags, ...more]),
    )
  })
}

/** All C++ sources of the addon; those of test/ are programs of their own, those of wasm/ the WebAssembly module's. */
function sources(): string[] {
  return readdirSync(native, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.cpp') && !/^(test|wasm)\b/.test(path))
    .sort()
    .map(path => join(native, path))
}

/** A source in the namespace of an instruction set is compiled once for each of them, any other once. */
function isPerInstructionSet(source: string): boolean {
  return /\bvitral::VITRAL_ISA\b/.test(readFileSync(source, 'utf8'))
}

/** A source and the headers of native/ that it includes, directly or through others. */
function withIncluded(source: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(source)) return found
  found.add(source)
  for (const [, path] of readFileSync(source, 'utf8').matchAll(/^#include "(.+)"/gm))
    withIncluded(join(dirname(source), path ?? ''), found)
  return found
}

async function inParallel<T>(jobs: readonly T[], run: (job: T) => Promise<void>): Promise<void> {
  const queue = [...jobs]
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await run(job)
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker))
}

function compile(compiler: string, { source, flags, object }: Compilation): Promise<void> {
  const aside = `${object}.${process.pid}.tmp`
  return new Promise((done, fail) => {
    const args = [...commonFlags, ...flags, ...furtherFlags, '-c', source, '-o', aside]
    spawn(compiler, args, { stdio: 'inherit' })
      .on('error', fail)
      .on('close', code => {
        if (code !== 0) return fail(new Error(`${compiler} could not compile ${source}.`))
        renameSync(aside, object)
        done()
      })
  })
}

function link(compiler: string, all: readonly Compilation[], to: string): void {
  const aside = `${to}.${process.pid}.tmp`
  const inputs = all.map(({ object }) => object)
  const args = [...(linkFlags[process.platform] ?? []), ...furtherFlags, ...inputs, '-o', aside]
  const attempt = (more: string[], stdio: 'ignore' | 'inherit') =>
    spawnSync(compiler, [...args, ...more], { stdio }).status === 0
  // Not every compiler comes with that library as an archive.
  if (!attempt(selfContained[process.platform] ?? [], 'ignore') && !attempt([], 'inherit'))
    throw new Error(`${compiler} could not link ${to}.`)
  renameSync(aside, to)
}

/** Objects of sources that have changed since, but nothing that another build may be writing. */
function removeAllBut(current: readonly string[]): void {
  for (const name of readdirSync(objects))
    if (!name.endsWith('.tmp') && !current.includes(join(objects, name))) rmSync(join(objects, name), { force: true })
}

/** Renamed into place: a program that has the old file loaded keeps it. */
function install(built: string): void {
  const aside = `${output}.${process.pid}.tmp`
  copyFileSync(built, aside)
  renameSync(aside, output)
}
