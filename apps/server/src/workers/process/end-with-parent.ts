/** No process is left behind, not even one that hangs and does not notice that its socket has closed. */
import { dlopen } from 'bun:ffi'

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

/** Has Linux end this process with the one that started it. Elsewhere the closed socket alone does. */
export function endWithParent(): void {
  if (process.platform !== 'linux') return
  for (const library of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      const { symbols } = dlopen(library, { prctl: { args: ['i32', 'u64'], returns: 'i32' } })
      symbols.prctl(PR_SET_PDEATHSIG, SIGKILL)
      return
    } catch {
      // the other C library, or none that can be opened
    }
  }
}
