/** A C++ program of native/test, compiled for the length of a test file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const native = join(import.meta.dir, '../native')

/** Undefined where there is none. */
export const compiler = ['g++', 'clang++'].find(name => Bun.which(name))

export interface NativeProgram {
  run(...args: string[]): { status: number | null; output: string }
  remove(): void
}

/**
 * @param sources in native/, without their ending
 * @throws with the compiler's errors
 */
export function compileProgram(...sources: string[]): NativeProgram {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-native-'))
  const program = join(folder, 'program')
  const files = sources.map(name => join(native, `${name}.cpp`))
  const args = ['-O2', '-std=c++20', ...files, '-o', program, '-pthread']
  const compiled = spawnSync(compiler as string, args, { encoding: 'utf8' })
  if (compiled.status !== 0) throw new Error(compiled.stderr)
  return {
    run(...given) {
      const { status, stdout, stderr } = spawnSync(program, given, { encoding: 'utf8' })
      return { status, output: stdout + stderr }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
