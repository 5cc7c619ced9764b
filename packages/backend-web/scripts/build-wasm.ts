/**
 * Compiles the C++ kernels of @vitral/backend-node to the WebAssembly modules that this package ships:
 *
 *   bun scripts/build-wasm.ts [--check]
 *
 * The compiler comes from npm (@yowasp/clang, one exact version), so that the same sources give the same bytes on every
 * machine. It takes many seconds a file; objects of sources that have not changed are kept in build/. With --check
 * nothing is written, and a module that differs from what is shipped fails the command.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

const instructionSets = { simd128: [], relaxed: ['-mrelaxed-simd'] }
type InstructionSet = keyof typeof instructionSets

const root = resolve(import.meta.dirname, '..')
const native = resolve(root, '../backend-node/native')
const objects = join(root, 'build', 'wasm')
const check = process.argv.includes('--check')

/** Products and sums are rounded by themselves: WebAssembly would make a library call of a fused one. */
const flags = [
  '--target=wasm32-wasip1',
  '-O3',
  '-std=c++20',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-threadsafe-statics',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=off',
  '-msimd128',
  '-matomics',
  '-mbulk-memory',
  '-ftls-model=local-exec',
  '-fvisibility=hidden',
  '-ffunction-sections',
  '-fdata-sections',
]

/** The C library is built without atomics, which what is taken of it, mathematics, does not need. */
const linkFlags = [
  '-nostartfiles',
  ...[
    '--no-entry',
    '--import-memory',
    '--shared-memory',
    '--initial-memory=4194304',
    '--max-memory=4294967296',
    '--no-check-features',
    '--gc-sections',
    '--strip-all',
    '--stack-first',
    '--export=__stack_pointer',
    '--export=__wasm_init_tls',
    '--export=__tls_size',
    '--export=__tls_align',
    '-z',
    'stack-size=1048576',
  ].map(flag => `-Wl,${flag}`),
]

interface Compilation {
  source: string
  flags: string[]
  object: string
}

/** What the addon has for Node alone: its own side of the bindings, images, processes, the choice among x86's sets. */
const nodeOnly =
  /^(test|images|collectives)\/|^addon\/(addon|collectives|images|node-arguments|process-group|runtime)\.cpp$|^kernels\/dispatch\.cpp$|^runtime\/(?!scratch)/

const sources = readdirSync(native, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.cpp') && !nodeOnly.test(path))
  .sort()

const headers = Object.fromEntries(
  readdirSync(native, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.h'))
    .sort()
    .map(path => [path, readFileSync(join(native, path), 'utf8')]),
)

const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@yowasp/clang/package.json'), 'utf8')) as {
  version: string
}

/** A source in the namespace of an instruction set is compiled for each, and so is what names it. */
function compilation(source: string, isa: InstructionSet): Compilation {
  const text = readFileSync(join(native, source), 'utf8')
  const own = /\bVITRAL_(WASM_)?ISA\b/.test(text)
  const all = own ? [...flags, ...instructionSets[isa], `-DVITRAL_WASM_ISA=${isa}`] : [...flags]
  if (/\bvitral::VITRAL_ISA\b/.test(text)) all.push(`-DVITRAL_ISA=${isa}`)
  const hash = createHash('sha256').update(version).update(all.join())
  for (const path of withIncluded(source)) hash.update(readFileSync(join(native, path)))
  const name = `${own ? isa : 'base'}-${source.replaceAll('/', '-').replace('.cpp', '')}`
  return { source, flags: all, object: join(objects, `${name}-${hash.digest('hex').slice(0, 16)}.o`) }
}

/** A source and the headers of native/ that it includes, directly or through others. */
function withIncluded(source: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(source)) return found
  found.add(source)
  for (const [, path] of readFileSync(join(native, source), 'utf8').matchAll(/^#include "(.+)"/gm))
    withIncluded(join(dirname(source), path ?? ''), found)
  return found
}

/** Carries out compilations, or a link, each in turn. */
async function clang(
  jobs: readonly { args: string[]; files: Record<string, string>; output: string }[],
): Promise<void> {
  const list = join(
    objects,
    `jobs-${process.pid}-${createHash('sha256').update(JSON.stringify(jobs)).digest('hex').slice(0, 8)}.json`,
  )
  writeFileSync(list, JSON.stringify({ headers, jobs }))
  try {
    const running = Bun.spawn(['node', join(import.meta.dirname, 'clang.mjs'), list], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if ((await running.exited) !== 0) throw new Error('The compiler failed; its message is above.')
  } finally {
    rmSync(list, { force: true })
  }
}

/** In as many processes as there are processors, each with files of all kinds. */
async function compileAll(stale: readonly Compilation[]): Promise<void> {
  const processes = availableParallelism()
  const jobs = stale.map(({ source, flags, object }) => ({
    args: [...flags, '-I.', '-c', source],
    files: { [source]: join(native, source) },
    output: object,
  }))
  await Promise.all(Array.from({ length: processes }, (_, i) => clang(jobs.filter((_, j) => j % processes === i))))
}

async function link(isa: InstructionSet): Promise<Uint8Array> {
  const files = Object.fromEntries(
    sources.map(source => {
      const { object } = compilation(source, isa)
      return [basename(object), object]
    }),
  )
  const output = join(objects, `${isa}.wasm`)
  await clang([{ args: [...flags, ...linkFlags, ...Object.keys(files).sort()], files, output }])
  return readFileSync(output)
}

function keep(path: string, bytes: Uint8Array | string): void {
  const aside = `${path}.${process.pid}.tmp`
  writeFileSync(aside, bytes)
  renameSync(aside, path)
}

/** gzip of the module as text, which bundlers and servers carry along like any other code. */
function asModule(isa: InstructionSet, wasm: Uint8Array): string {
  const packed = gzipSync(wasm, { level: 9 })
  packed[9] = 255 // the system that packed it: none
  return `/** The kernels with ${isa}, by scripts/build-wasm.ts: gzip in base64. */\nexport const binary: string =\n  '${packed.toString('base64')}'\n`
}

async function main(): Promise<void> {
  mkdirSync(objects, { recursive: true })
  const all = new Map(
    (Object.keys(instructionSets) as InstructionSet[]).flatMap(isa =>
      sources.map(source => compilation(source, isa)).map(job => [job.object, job] as const),
    ),
  )
  const stale = [...all.values()].filter(({ object }) => !existsSync(object))
  if (stale.length > 0) {
    console.log(`Compiling ${stale.length} of ${all.size} sources to WebAssembly…`)
    await compileAll(stale)
  }
  for (const isa of Object.keys(instructionSets) as InstructionSet[]) {
    const text = asModule(isa, await link(isa))
    const path = join(root, 'src/wasm/binaries', `${isa}.ts`)
    const same = existsSync(path) && readFileSync(path, 'utf8') === text
    if (check && !same) throw new Error(`${path} is not what its sources give; run: bun scripts/build-wasm.ts`)
    if (!same) keep(path, text)
    console.log(`${isa}: ${(Buffer.byteLength(text) / 1024).toFixed(0)} KB as text`)
  }
}

await main()
