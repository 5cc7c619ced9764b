import { expect, test } from 'bun:test'
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

test('a process that does not exist has neither', () => {
  expect(processSeconds(-1)).toBeUndefined()
  expect(peakMemory(-1)).toBeUndefined()
})
