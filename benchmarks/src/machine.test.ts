import { expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { busySeconds, describeMachine, peakMemory, processSeconds } from './machine.ts'

test('the machine is described in one line, with the instruction set', () => {
  expect(describeMachine('avx2')).toMatch(/^.+, \d+ cores, avx2, \d+ GiB, .+$/)
})

test.skipIf(process.platform !== 'linux')('CPU time and memory of a process (only Linux tells)', () => {
  const [busy = 0, own = 0] = [busySeconds(), processSeconds(process.pid)]
  while ((processSeconds(process.pid) as number) < own + 0.1);
  expect((busySeconds() as number) - busy).toBeGreaterThanOrEqual(0.05)
  expect(peakMemory(process.pid)).toBeGreaterThan(10)
})

test.skipIf(process.platform !== 'linux')('CPU time of a process includes those it started', async () => {
  const child = spawn(process.execPath, ['-e', 'for (;;);'])
  try {
    const own = process.cpuUsage()
    const before = processSeconds(process.pid) as number
    for (let i = 0; i < 200 && (processSeconds(child.pid as number) as number) < 0.3; i++) await sleep(20)
    const { user, system } = process.cpuUsage(own)
    // The system counts in hundredths of a second.
    expect((processSeconds(process.pid) as number) - before).toBeGreaterThan((user + system) / 1e6 + 0.2)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a process that does not exist has neither', () => {
  expect(processSeconds(-1)).toBeUndefined()
  expect(peakMemory(-1)).toBeUndefined()
})
