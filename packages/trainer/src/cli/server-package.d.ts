/** What `vitral serve` calls of the server's package, whose own types are Bun's and would be asked of every user. */
declare module '@vitral/server' {
  export function parseConfig(input: object): object
  export function readConfig(sources: {
    file?: string
    environment?: Record<string, string | undefined>
    settings?: Record<string, unknown>
  }): object
  export function runServer(config: object): Promise<number>
}

declare module '@vitral/server/allocator-settings' {
  export function restartWithAllocatorSettings(): void
}
