/** One process of several: its start, its output, its end. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'

export interface RankEnd {
  rank: number
  pid: number
  /** The rank that it waited for in vain, by its own words. */
  waitedFor?: number
  /** It did not end by itself, nor come where the others waited for it. */
  hangs?: true
  /** Exit code as in a shell: 128 and the signal's number where a signal ended it. */
  code: number
  signal?: NodeJS.Signals
  /** When it was last looked at, at most a second before. */
  residentBytes?: number
}

export interface RankProcess {
  rank: number
  pid: number
  /** Never rejects. */
  ended: Promise<RankEnd>
  /** Sends a signal to its whole process group, while it lives. */
  kill(signal: NodeJS.Signals): void
}

export interface StartRankOptions {
  rank: number
  /** Before each of its lines. */
  name: string
  env: Record<string, string>
  /** Whether it has a channel by which it learns that its launcher is gone. @default true */
  channel?: boolean
  /** Is told what ranks but the first write to standard error, line by line. */
  say: (line: string) => void
}

/** What a process tells its launcher before it ends. */
export interface RankMessage {
  waitedFor: number
}

/** Milliseconds. */
const lookInterval = 1000

/** In a group of its own: what it starts ends with it, and a terminal's Ctrl-C comes through the launcher alone. */
export function startRank(command: string, args: readonly string[], options: StartRankOptions): RankProcess {
  const { rank, name, env, channel = true, say } = options
  const isFirst = rank === 0
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', isFirst ? 'inherit' : 'ignore', isFirst ? 'inherit' : 'pipe', channel ? 'ipc' : 'ignore'],
  })
  if (child.stderr) createInterface({ input: child.stderr }).on('line', line => say(`${name}${line}`))
  let waitedFor: number | undefined
  if (channel) child.on('message', message => (waitedFor = (message as RankMessage).waitedFor))
  let residentBytes: number | undefined
  const look = setInterval(() => {
    residentBytes = residentBytesOf(child.pid) ?? residentBytes
  }, lookInterval)
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const ended = new Promise<RankEnd>(resolve => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearInterval(look)
      resolve({
        ...{ rank, pid: child.pid ?? 0, code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'], residentBytes },
        ...{ waitedFor, ...(signal && { signal }) },
      })
    }
    child.once('error', error => {
      say(`${name}${command} cannot be started: ${error.message}`)
      end(127, null)
    })
    child.once('exit', () => kill('SIGKILL')) // what it had started, which may hold its output open
    child.once('close', end)
  })
  return { rank, pid: child.pid ?? 0, ended, kill }
}

function residentBytesOf(pid: number | undefined): number | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined // it has just ended, or this is no Linux
  }
}
