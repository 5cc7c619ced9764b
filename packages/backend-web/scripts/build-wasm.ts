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
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  type Compilation,
  compilation,
  compiler,
  flags,
  headers,
  type InstructionSet,
  instructionSets,
  linkFlags,
  native,
  root,
  sources,
  sourcesHash,
  version,
} from './wasm-sources.ts'

const objects = join(root, 'build', 'wasm')
const check = process.argv.includes('--check')
/** Where the compiler is installed. */
const tools = join(root, 'build', `clang-${version}`)

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
    const running = Bun.spawn(
      ['node', join(import.meta.dirname, 'clang.mjs'), join(tools, 'node_modules', compiler), list],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
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
    output: join(objects, object),
  }))
  await Promise.all(Array.from({ length: processes }, (_, i) => clang(jobs.filter((_, j) => j % processes === i))))
}

async function link(isa: InstructionSet): Promise<Uint8Array> {
  const files = Object.fromEntries(
    sources.map(source => {
      const { object } = compilation(source, isa)
      return [object, join(objects, object)]
    }),
  )
  const output = join(objects, `${isa}.wasm`)
  await clang([{ args: [...flags, ...Object.keys(files).sort(), ...linkFlags], files, output }])
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
  return `/** The kernels with ${isa}, by scripts/build-wasm.ts of sources ${sourcesHash(isa)}: gzip in base64. */\nexport const binary: string =\n  '${packed.toString('base64')}'\n`
}

async function installCompiler(): Promise<void> {
  if (existsSync(join(tools, 'node_modules', compiler, 'package.json'))) return
  mkdirSync(tools, { recursive: true })
  const npm = Bun.spawn(['npm', 'install', '--no-save', '--prefix', tools, `${compiler}@${version}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if ((await npm.exited) !== 0) throw new Error(`${compiler}@${version} could not be installed.`)
}

async function main(): Promise<void> {
  mkdirSync(objects, { recursive: true })
  await installCompiler()
  const all = new Map(
    (Object.keys(instructionSets) as InstructionSet[]).flatMap(isa =>
      sources.map(source => compilation(source, isa)).map(job => [job.object, job] as const),
    ),
  )
  const stale = [...all.values()].filter(({ object }) => !existsSync(join(objects, object)))
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
