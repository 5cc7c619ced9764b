/** What the WebAssembly modules are compiled from, and how: the C++ kernels of @vitral/backend-node. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const instructionSets: { simd128: string[]; relaxed: string[] } = { simd128: [], relaxed: ['-mrelaxed-simd'] }
export type InstructionSet = keyof typeof instructionSets

export const root: string = resolve(import.meta.dirname, '..')
export const native: string = resolve(root, '../backend-node/native')

/** Products and sums are rounded by themselves: WebAssembly would make a library call of a fused one. */
export const flags: string[] = [
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
export const linkFlags: string[] = [
  '-nostartfiles',
  '-nodefaultlibs',
  '-lc',
  '-lm',
  '/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a',
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

export interface Compilation {
  source: string
  flags: string[]
  /** Name of the object, which tells what it was compiled from. */
  object: string
}

/** What the addon has for Node alone: its own side of the bindings, images, processes, the choice among x86's sets. */
const nodeOnly =
  /^(test|images|collectives)\/|^addon\/(addon|collectives|images|node-arguments|process-group|runtime)\.cpp$|^kernels\/dispatch\.cpp$|^runtime\/(?!scratch)/

export const sources: string[] = readdirSync(native, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.cpp') && !nodeOnly.test(path))
  .sort()

export const headers: Record<string, string> = Object.fromEntries(
  readdirSync(native, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.h'))
    .sort()
    .map(path => [path, readFileSync(join(native, path), 'utf8')]),
)

/** From npm, where it runs wherever Node does; installed by build-wasm.ts alone, since it takes 100 MB. */
export const compiler = '@yowasp/clang'
export const version = '22.0.0-git20542-10'

/** A source in the namespace of an instruction set is compiled for each, and so is what names it. */
export function compilation(source: string, isa: InstructionSet): Compilation {
  const text = readFileSync(join(native, source), 'utf8')
  const own = /\bVITRAL_(WASM_)?ISA\b/.test(text)
  const all = own ? [...flags, ...instructionSets[isa], `-DVITRAL_WASM_ISA=${isa}`] : [...flags]
  if (/\bvitral::VITRAL_ISA\b/.test(text)) all.push(`-DVITRAL_ISA=${isa}`)
  const hash = createHash('sha256').update(version).update(all.join())
  for (const path of withIncluded(source)) hash.update(readFileSync(join(native, path)))
  const name = `${own ? isa : 'base'}-${source.replaceAll('/', '-').replace('.cpp', '')}`
  return { source, flags: all, object: `${name}-${hash.digest('hex').slice(0, 16)}.o` }
}

/** A source and the headers of native/ that it includes, directly or through others. */
function withIncluded(source: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(source)) return found
  found.add(source)
  for (const [, path] of readFileSync(join(native, source), 'utf8').matchAll(/^#include "(.+)"/gm))
    withIncluded(join(dirname(source), path ?? ''), found)
  return found
}

/** What a module is made of, in 16 digits: another text, flag or compiler gives others. */
export function sourcesHash(isa: InstructionSet): string {
  const hash = createHash('sha256').update(linkFlags.join())
  for (const source of sources) hash.update(compilation(source, isa).object)
  return hash.digest('hex').slice(0, 16)
}
