/**
 * A server whose system calls are written down by strace, with those of all its processes: which files it opens or looks
 * for, and what it connects to.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ConfigInput } from '../../src/index.ts'
import { type StartedServer, startedWithModel } from './started-server.ts'

/**
 * `-D`: the server is the test's own child, to which signals and its number belong. Ends of processes are written, too, as a
 * trace without them is not whole. Files opened through io_uring would not be seen, but its setup is.
 */
const strace = [
  ...['strace', '-D', '-f', '--seccomp-bpf', '-ttt', '-s', '4096'],
  ...['-e', 'trace=%file,socket,connect,io_uring_setup'],
]

/** Why nothing can be traced here; undefined where it can. */
export function whyNotTraced(): string | undefined {
  if (process.platform !== 'linux') return `system calls are traced on Linux alone, this is ${process.platform}`
  if (!Bun.which('strace')) return 'there is no strace (on Debian: apt-get install strace)'
  const [command, ...args] = strace as [string, ...string[]]
  const { stderr, error } = spawnSync(command, [...args, 'true'], { encoding: 'utf8', timeout: 10_000 })
  return stderr?.includes('execve(') ? undefined : `nothing can be traced: ${stderr?.trim() || error?.message}`
}

interface SystemCall {
  /** Id of the thread. */
  id: number
  /** Milliseconds since 1970. */
  time: number
  /** Text of the call, in strace's format. */
  text: string
}

export interface Trace {
  calls: readonly SystemCall[]
  /** What files of any kind were opened, created, or looked for, also those that are not there. */
  paths(from?: number, until?: number): Set<string>
}

export interface TracedServer extends StartedServer {
  /** Once it has stopped. */
  trace(): Promise<Trace>
}

/** @param output path of the file for the trace */
export async function tracedServer(folder: string, config: ConfigInput, output: string): Promise<TracedServer> {
  const variables = { CONFIG: JSON.stringify(config) }
  const server = await startedWithModel(folder, 0, { limits: [...strace, '-o', output], variables })
  const ended = new RegExp(`^${server.pid} .*\\+\\+\\+ (exited|killed)`, 'm')
  return {
    ...server,
    async trace() {
      // strace hears of the end as the test does, and may write it later.
      while (!ended.test(readFileSync(output, 'utf8'))) await Bun.sleep(10)
      return readTrace(readFileSync(output, 'utf8'))
    },
  }
}

function readTrace(text: string): Trace {
  const calls = text.split('\n').flatMap(line => {
    // Neither signals and ends nor the second halves of calls, which have results.
    const [, id, seconds, text] = /^(\d+) +(\d+\.\d+) (\w+\(.*)$/.exec(line) ?? []
    return text ? { id: Number(id), time: Number(seconds) * 1000, text } : []
  })
  return {
    calls,
    paths(from = 0, until = Infinity) {
      const within = calls.filter(({ time }) => time >= from && time < until)
      const quoted = within.flatMap(({ text }) => [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)])
      return new Set(quoted.map(([, path]) => path as string).filter(path => path !== ''))
    },
  }
}
