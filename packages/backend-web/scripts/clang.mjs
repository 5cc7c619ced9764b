/**
 * Runs @yowasp/clang for build-wasm.ts, in a process of its own: it works on one file at a time, and Node's engine compiles
 * the compiler faster than Bun's.
 *
 *   node scripts/clang.mjs FOLDER-OF-THE-COMPILER JOBS.json
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** @type {{ headers: Record<string, string>, jobs: { args: string[], files: Record<string, string>, output: string }[] }} */
const { headers, jobs } = JSON.parse(readFileSync(process.argv[3], 'utf8'))
const { runClang } = await import(pathToFileURL(resolve(join(process.argv[2], 'gen/bundle.js'))).href)

/** A folder as the compiler's file system has it: an object of objects and contents. */
function tree(files) {
  const top = {}
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/')
    const name = parts.pop()
    let folder = top
    for (const part of parts) folder = folder[part] ??= {}
    folder[name] = content
  }
  return top
}

for (const { args, files, output } of jobs) {
  const read = Object.fromEntries(Object.entries(files).map(([path, from]) => [path, readFileSync(from)]))
  const given = args.includes('-c') ? withRootedIncludes({ ...headers, ...read }) : read
  const out = await runClang(['clang++', ...args, '-o', 'out'], tree(given), { fetchProgress() {} })
  const aside = `${output}.${process.pid}.tmp`
  writeFileSync(aside, out.out)
  renameSync(aside, output)
}

/** Includes by their path from the top: this file system knows no `..`. */
function withRootedIncludes(files) {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => {
      const rooted = (_, include) => `#include "${new URL(include, `file:///${path}`).pathname.slice(1)}"`
      return [path, content.toString().replace(/^#include "(.+)"/gm, rooted)]
    }),
  )
}
