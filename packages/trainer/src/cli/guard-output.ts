/**
 * What becomes of a command when nobody reads its output any more (EPIPE: `vitral predict … | head`), or nothing can hold
 * it (ENOSPC: `> /dev/full`). Without a listener the runtimes end it with a stack trace.
 */
import { printError } from './print-error.ts'

/** The exit code that a shell gives to a process ended by SIGPIPE. */
const brokenPipe = 141

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, or write to another one',
  EDQUOT: 'the quota is used up; free some space, or write to another disk',
  EFBIG: 'the file is larger than it may be here; write to another disk',
  EIO: 'the terminal or the disk is gone; redirect it to a file',
}

export interface GuardOptions {
  /** Whether the command is more than its output: a training run goes on without it. @default false */
  goesOn?: boolean
  /** @default process.exit */
  exit?: (code: number) => void
  /** @default standard output and standard error */
  streams?: { stdout: NodeJS.EventEmitter; stderr: NodeJS.EventEmitter }
}

/**
 * Listens until the process ends. Without a reader a command ends quietly with exit code 141; of any other failure of its
 * standard output it tells in one line, with exit code 1. What cannot be said on the standard error is lost.
 *
 * @param command its name
 */
export function guardOutput(
  command: string | undefined,
  { goesOn = false, exit = code => process.exit(code), streams = process }: GuardOptions = {},
): void {
  let told = false
  streams.stderr.on('error', () => {})
  streams.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      if (!goesOn) exit(brokenPipe)
      return
    }
    if (told) return
    told = true
    const reason = reasons[error.code ?? ''] ?? error.message
    printError(command, new Error(`The standard output cannot be written: ${reason}.`))
    if (goesOn) process.on('exit', code => (process.exitCode = code || 1))
    else exit(1)
  })
}
