/**
 * The table of ops: for each, where its definition, truth and kernels are, and which backends, precisions and gradients it
 * has. Everything is read from the sources, by the one stem an op has everywhere.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

export const repository: string = resolve(import.meta.dirname, '../../..')

export interface OpRow {
  /** The op's stem, such as `layer-norm`. */
  stem: string
  /** The kernel's name in tfjs's registry, such as `VitralLayerNorm`. */
  kernel: string
  /** Number formats that a backend multiplies in, or writes for products to read. */
  precisions: ('float32' | 'bfloat16' | 'float16' | 'int8')[]
  /** Whether the op has a gradient. A step over gradients or parameters has none. */
  gradient: boolean
  /** The files of the op that exist, by what they hold. */
  files: Partial<Record<Place, string>>
}

export type Place = keyof typeof folders

/** The folder of each of an op's files, which are at its top or in one of its rooms. */
const folders = {
  definition: 'packages/core/src/ops',
  truth: 'packages/core/src/conformance',
  nativeAdapter: 'packages/core/src/kernels/adapters',
  nativeBinding: 'packages/backend-node/native/addon',
  nativeKernel: 'packages/backend-node/native/kernels',
  webgpuKernel: 'packages/backend-web/src/webgpu/kernels',
} as const

/** The sources of each folder by their stem, relative to the repository. */
const sources = Object.fromEntries(
  Object.entries(folders).map(([place, folder]) => [place, sourcesByStem(folder)]),
) as Record<Place, Map<string, string>>

function sourcesByStem(folder: string): Map<string, string> {
  if (!existsSync(join(repository, folder))) return new Map()
  const names = readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
  return new Map(
    names
      .filter(name => /\.(ts|cpp)$/.test(name) && !name.endsWith('.test.ts'))
      .map(name => [basename(name).replace(/\.\w+$/, ''), join(folder, name)]),
  )
}

/**
 * Every op that core defines, in alphabetical order. Whole layers that a backend may run as one kernel (`defineFusion`,
 * `defineFusedOp`) are no ops: they give the bits of the ops they stand for.
 */
export function opRows(): OpRow[] {
  return [...sources.definition.keys()].sort().flatMap(stem => rowOf(stem) ?? [])
}

function rowOf(stem: string): OpRow | undefined {
  const source = read(sources.definition.get(stem) as string)
  if (/\bdefineFusedOp\b/.test(source)) return undefined
  const [, kernel] = /\bkernel: '(Vitral\w+)'/.exec(source) ?? /\bdefineStep\(\s*'(Vitral\w+)'/.exec(source) ?? []
  if (!kernel) return undefined
  const files: OpRow['files'] = {}
  for (const place of Object.keys(folders) as Place[]) {
    const path = sources[place].get(stem)
    if (path) files[place] = path
  }
  const precisions: OpRow['precisions'] = ['float32']
  if (/\bhalf: true\b/.test(source)) precisions.push('bfloat16', 'float16')
  if (files.nativeAdapter && hasInt8(files.nativeAdapter)) precisions.push('int8')
  return {
    stem,
    kernel,
    precisions,
    gradient: !/\bdefineStep\(/.test(source),
    files,
  }
}

/** An adapter whose forward kernel passes the precision on as it is has products in int8; others replace it. */
function hasInt8(adapter: string): boolean {
  const [forward = ''] = read(adapter).split(/^export const \w+Grad\b/m)
  return /\bdtype: attrs\.dtype\b/.test(forward)
}

const read = (path: string): string => readFileSync(join(repository, path), 'utf8')

/** @returns the table as a Markdown page, its links relative to apps/docs/dist */
export function opsPage(rows: readonly OpRow[]): string {
  const link = (text: string, path: string | undefined) => (path ? `[${text}](../../../${path})` : '–')
  const lines = rows.map(({ stem, precisions, gradient, files }) => {
    const native = [link('adapter', files.nativeAdapter), link('C++', files.nativeKernel)].filter(part => part !== '–')
    return `| ${[
      link(`\`${stem}\``, files.definition),
      link('float64', files.truth),
      native.join(', ') || 'composition',
      link('WGSL', files.webgpuKernel).replace('–', 'composition'),
      'composition',
      precisions.join(', '),
      gradient ? 'yes' : '–',
    ].join(' | ')} |`
  })
  return `# Ops

Every op runs on every backend: by a kernel of its own, or as its reference composition of stock tfjs ops, which is what
"composition" stands for. Its truth is the float64 loop that the conformance suite compares each backend with. The
precisions bfloat16 and int8 are those of \`native\` and \`wasm\`, float16 is that of \`webgpu\`; other backends compute in
float32.

| op | truth | native | webgpu | wasm, tensorflow, cpu | precision | gradient |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`
}
