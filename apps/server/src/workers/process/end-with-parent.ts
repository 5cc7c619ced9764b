/** Ties a worker process to its parent, so that none is left behind, not even one that hangs and misses that its socket closed. */
import { dlopen } from 'bun:ffi'

const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

/** Has Linux kill this process when its parent ends (PR_SET_PDEATHSIG). Elsewhere only the closed socket ends it. */
export function endWithParent(): void {
  if (process.platform !== 'linux') return
  for (const library of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
    try {
      const { symbols } = dlopen(library, { prctl: { args: ['i32', 'u64'], returns: 'i32' } })
      symbols.prctl(PR_SET_PDEATHSIG, SIGKILL)
      return
    } catch {
      // This C library is not the system's; the next one may be.
    }
  }
}
