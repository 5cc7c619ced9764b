import { expect, test } from 'bun:test'
import { Admission } from './admission.ts'

test('admission control rejects a request whose estimated answer comes just before its deadline', () => {
  const admission = new Admission(8)
  const request = { inputs: 1, timeout: 1000, signal: undefined }
  const tickets = [admission.admit(request, () => 3)] // it is alone, so the pace is tried
  expect(() => admission.admit(request, () => 0.96)).toThrow('would take about 1.0 s, too close to the deadline of 1 s')
  tickets.push(admission.admit(request, () => 0.85))
  expect(admission.load).toEqual({ queued: 2, running: 0 })
  for (const ticket of tickets) admission.release(ticket)
  expect(admission.load).toEqual({ queued: 0, running: 0 })
})
