/** When a process gives freed memory back to the system. */

/**
 * Settings of Bun's allocator (mimalloc) under which freed memory rests for seconds. By its own, what a request has used
 * goes back within milliseconds: a thread that does so takes the processor from the model (1 to 2 ms of each request,
 * measured, in each process), and the next request waits for the pages to come back.
 */
const allocatorSettings: Readonly<Record<string, string>> = {
  MIMALLOC_PURGE_DELAY: '10000',
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: '10000',
}

/** The environment of a process with them; what it says itself of the allocator stays. */
export const withAllocatorSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...allocatorSettings,
  ...environment,
})

/** Newer than the types. */
interface WithExecve extends NodeJS.Process {
  execve?(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): void
}

/** Begins this process again with them, as an allocator reads its settings once; nothing where that cannot be. */
export function restartWithAllocatorSettings(): void {
  const self: WithExecve = process
  const { env, execPath, execArgv, argv } = self
  if (!self.execve || Object.keys(allocatorSettings).every(name => name in env)) return
  try {
    self.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], withAllocatorSettings(env))
  } catch {
    // It is served as it is.
  }
}
