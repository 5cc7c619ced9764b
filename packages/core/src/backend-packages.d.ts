/**
 * What core calls of the backend packages. They import core, so core cannot take these types from them; nor may the
 * declarations of their index name any of core: the compiler would take what it writes for what it reads.
 */
declare module '@vitral/backend-node' {
  export function startNative(): Promise<void>
  export function startTensorflow(): Promise<void>
  export function setThreads(threads: number): void
}
declare module '@vitral/backend-web' {
  export function startWebgpu(options?: { emulation?: boolean }): Promise<void>
  export function startWasm(): Promise<void>
  export function setWasmThreads(threads: number): void
}
