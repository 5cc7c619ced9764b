/** Steps that the root commands share: a heading, a command, and a clear end when it fails. */
import { spawnSync } from 'node:child_process'

/** Runs a command in the repository's root with its output shown; ends this process with its code when it fails. */
export async function run(title: string, command: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  console.log(`\n── ${title}: ${command.join(' ').replace(process.execPath, 'bun')}`)
  const [program = '', ...args] = command
  const { status, error } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...env },
  })
  if (status === 0) return
  console.error(`\n${title} failed${error ? `: ${error.message}` : ` with exit code ${status}`}.`)
  process.exit(status ?? 1)
}

/** Installs what the lockfile names and builds every package, the native kernels included. */
export async function setUp(): Promise<void> {
  await run('Install', [process.execPath, 'install', '--frozen-lockfile'])
  await run('Build', [process.execPath, 'run', 'build'])
}

/** The vitral command of this repository. */
export const vitral = (...args: string[]): string[] => [process.execPath, 'packages/trainer/src/cli/index.ts', ...args]
