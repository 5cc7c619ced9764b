/** Allocator settings: how soon a process returns freed memory to the system. */

/**
 * Settings of Bun's allocator (mimalloc) under which freed memory is kept for ten seconds. By default it is purged within
 * milliseconds: the purging thread takes the processor from the model (1 to 2 ms of each request, measured, in each
 * process), and the next request pays for the page faults.
 */
const allocatorSettings: Readonly<Record<string, string>> = {
  MIMALLOC_PURGE_DELAY: '10000',
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: '10000',
}

/** Adds the settings to a process's environment; variables that it already sets stay. */
export const withAllocatorSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...allocatorSettings,
  ...environment,
})

/** process.execve, which the types do not have yet. */
interface WithExecve extends NodeJS.Process {
  execve?(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): void
}

/** Restarts this process with the settings, as an allocator reads them once at its start; does nothing where it cannot. */
export function restartWithAllocatorSettings(): void {
  const self: WithExecve = process
  const { env, execPath, execArgv, argv } = self
  if (!self.execve || Object.keys(allocatorSettings).every(name => name in env)) return
  try {
    self.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], withAllocatorSettings(env))
  } catch {
    // The server runs with the default settings.
  }
}
