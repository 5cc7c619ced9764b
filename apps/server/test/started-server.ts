/** Starts test/server-process.ts for tests that look at a server from outside: its address, its memory and its files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigInput } from '../src/index.ts'

export interface StartedServer {
  url: URL
  pid: number
  /** Bytes resident. */
  memory(): number
  /** Files and sockets that it has open. */
  openFiles(): number
  /** @returns its exit code */
  stop(): Promise<number>
}

/** @param command what is put before the server's own, such as a limit */
export async function startedServer(config: ConfigInput, command: readonly string[] = []): Promise<StartedServer> {
  const program = join(import.meta.dir, 'server-process.ts')
  const child = Bun.spawn([...command, process.execPath, program], {
    env: { ...process.env, CONFIG: JSON.stringify(config) },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const reader = child.stdout.getReader()
  let text = ''
  while (!/"url":"[^"]*"/.test(text)) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`The server ended before it listened: ${text}`)
    text += new TextDecoder().decode(value)
  }
  const drained = (async () => {
    while (!(await reader.read()).done);
  })()
  const { pid } = child
  return {
    url: new URL(String(/"url":"([^"]*)"/.exec(text)?.[1])),
    pid,
    memory: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    async stop() {
      child.kill('SIGTERM')
      const code = await child.exited
      await drained
      return code
    },
  }
}
