/** Starts a server in a process of its own, for tests that look at it from outside: its address, its memory, its files and its lines. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigInput } from '../../src/index.ts'

export interface StartedServer {
  url: URL
  pid: number
  /** What it writes after it listens; there where it is asked for alone, otherwise it is read and forgotten. */
  lines: AsyncGenerator<Line, undefined>
  /** Bytes resident. */
  memory(): number
  /** Milliseconds that the processor has worked for it. */
  processorTime(): number
  /** Files and sockets that it has open. */
  openFiles(): number
  /** Asks it to end, again if it was asked before. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number>
  /** Ends it with no time to do anything. */
  kill(): Promise<void>
}

/** A line of the log, and its text as it was written. */
export interface Line {
  message: string
  text: string
  [field: string]: unknown
}

export interface StartOptions {
  /** What is put before the server's own command. */
  limits?: readonly string[]
  /** Path of a module that is run before it. */
  preload?: string
  /** Environment variables, such as DELAY. */
  variables?: Record<string, string>
  /** Leaves the log lines to the test, which may leave them unread. */
  keepLines?: boolean
}

/** Starts support/server-process.ts, whose engine is a fake. */
export function startedServer(config: ConfigInput, options: StartOptions = {}): Promise<StartedServer> {
  const variables = { CONFIG: JSON.stringify(config), ...options.variables }
  return started(['server-process.ts'], { ...options, variables })
}

/** Starts support/serve-folder.ts, with the model of a folder. */
export const startedWithModel = (folder: string, port = 0, options: StartOptions = {}): Promise<StartedServer> =>
  started(['serve-folder.ts', folder, String(port)], options)

async function started(
  [program, ...args]: [string, ...string[]],
  { limits = [], preload, variables = {}, keepLines = false }: StartOptions,
): Promise<StartedServer> {
  const loaded = preload ? ['--preload', preload] : []
  const child = Bun.spawn([...limits, process.execPath, ...loaded, join(import.meta.dir, program), ...args], {
    env: { ...process.env, ...variables },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = linesOf(child.stdout)
  const url = await addressIn(lines)
  const drained = keepLines ? undefined : drain(lines)
  const { pid } = child
  return {
    url: new URL(url),
    pid,
    lines,
    memory: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    processorTime() {
      // After the name, which may have spaces: utime and stime, in hundredths of a second.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      return 10 * (Number(fields[11]) + Number(fields[12]))
    },
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
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

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Line, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of stream) {
    const texts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = texts.pop() ?? ''
    for (const text of texts) yield { ...JSON.parse(text), text } as Line
  }
  return undefined
}

async function addressIn(lines: AsyncGenerator<Line, undefined>): Promise<string> {
  for (;;) {
    const { value: line } = await lines.next()
    if (!line) throw new Error('The server ended before it listened.')
    if (line.message === 'listening') return String(line.url)
  }
}

async function drain(lines: AsyncGenerator): Promise<void> {
  while (!(await lines.next()).done);
}
