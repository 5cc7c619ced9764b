/** Limits that no answer of a busy machine exceeds, for tests that are not about time. */
import type { ConfigInput } from '../../src/index.ts'

export const generousLimits = {
  engine: { queueMilliseconds: 120_000, watchdogMilliseconds: 120_000, decodeSeconds: 120 },
  timeouts: { requestMilliseconds: 120_000, uploadMilliseconds: 120_000, idleSeconds: 200 },
} satisfies ConfigInput
