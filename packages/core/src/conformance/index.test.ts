import { expect, spyOn, test } from 'bun:test'
import * as ops from '../ops/index.ts'
import { conformance, conformanceCases } from './index.ts'

const names = conformanceCases().map(({ name }) => name)

test('every case has a name of its own, since skips go by name', () => {
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

test('every op has cases', () => {
  const tried = new Set(names.map(name => name.split(':')[0]))
  // The first is a composition of stock ops, the second a number: neither has a kernel.
  const notOps = ['attentionProbabilities', 'stateSlots']
  expect(Object.keys(ops).filter(name => !tried.has(name) && !notOps.includes(name))).toEqual([])
})

test('a case that is skipped is not registered, and its reason is printed', () => {
  const registered: string[] = []
  const printed = spyOn(console, 'log').mockImplementation(() => {})
  const skip = [{ reason: 'no erf', cases: (name: string) => name.startsWith('gelu:') }]
  conformance({ test: name => registered.push(name), skip })
  const lines = printed.mock.calls.map(([line]) => line)
  printed.mockRestore()
  const gelu = names.filter(name => name.startsWith('gelu:'))
  expect(lines).toEqual(gelu.map(name => `skipped ${name}: no erf`))
  expect(registered).toEqual(names.filter(name => !gelu.includes(name)))
})
