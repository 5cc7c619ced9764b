import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'

/** Waits for the first signal, says so, and then computes without ever letting the event loop turn. */
const program = `
  import { onInterrupt } from ${JSON.stringify(join(import.meta.dirname, 'interrupt.ts'))}
  const { signal } = onInterrupt()
  console.log('ready')
  while (!signal.aborted) await new Promise(resolve => setTimeout(resolve, 5))
  console.log(signal.reason)
  for (const end = Date.now() + 30_000; Date.now() < end; );
`

describe('onInterrupt', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s is told once; the second ends the process at once', async name => {
    const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' })
    const output = child.stdout.getReader()
    const next = async () => new TextDecoder().decode((await output.read()).value)
    expect(await next()).toBe('ready\n')
    child.kill(name)
    expect(await next()).toBe(`${name}\n`)
    child.kill(name)
    await child.exited
    expect(child.signalCode).toBe(name)
  })
})
