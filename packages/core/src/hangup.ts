/** What a process does when its terminal is closed: SIGHUP ends it, unless nohup or a supervisor had it ignored. */
import { readFileSync } from 'node:fs'

/**
 * Whether this process was started with SIGHUP ignored, as by nohup: a listener would undo that. Linux tells; elsewhere,
 * and in Node, which resets it before any code runs, the answer is no.
 */
export function ignoresHangup(): boolean {
  try {
    const [, mask = '0'] = /^SigIgn:\s*([\da-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return (BigInt(`0x${mask}`) & 1n) === 1n // bit 0 is signal 1, SIGHUP
  } catch {
    return false
  }
}
