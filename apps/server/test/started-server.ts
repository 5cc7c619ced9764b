/** Starts a server in a process of its own, for tests that look at it from outside: its address, its memory and its files. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigInput } from '../src/index.ts'

export interface StartedServer {
  url: URL
  pid: number
  /** Bytes resident. */
  memory(): number
  /** Milliseconds that the processor has worked for it. */
  processorTime(): number
  /** Files and sockets that it has open. */
  openFiles(): number
  /** @returns its exit code */
  stop(): Promise<number>
  /** Ends it with no time to do anything. */
  kill(): Promise<void>
}

/**
 * test/server-process.ts, whose engine is made up.
 *
 * @param limits what is put before the server's own command
 * @param variables of its environment, DELAY and others
 */
export const startedServer = (
  config: ConfigInput,
  limits: readonly string[] = [],
  variables: Record<string, string> = {},
): Promise<StartedServer> =>
  started([...limits, process.execPath, join(import.meta.dir, 'server-process.ts')], {
    CONFIG: JSON.stringify(config),
    ...variables,
  })

/** test/serve-folder.ts, with the model of a folder. */
export const startedWithModel = (folder: string, port = 0): Promise<StartedServer> =>
  started([process.execPath, join(import.meta.dir, 'serve-folder.ts'), folder, String(port)])

async function started(command: string[], variables: Record<string, string> = {}): Promise<StartedServer> {
  const child = Bun.spawn(command, {
    env: { ...process.env, ...variables },
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
    processorTime() {
      // After the name, which may have spaces: utime and stime, in hundredths of a second.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      return 10 * (Number(fields[11]) + Number(fields[12]))
    },
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    async stop() {
      child.kill('SIGTERM')
      const code = await child.exited
      await drained
      return code
    },
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
