import { expect, spyOn, test } from 'bun:test'
import * as ops from '../ops/index.ts'
import { conformance, conformanceCases } from './index.ts'

const names = conformanceCases().map(({ name }) => name)

test('conformanceCases gives every case its own name, which skips refer to', () => {
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

test('conformanceCases has cases of every op', () => {
  const tried = new Set(names.map(name => name.split(':')[0]))
  // The first is a composition of stock ops, the second a number: neither has a kernel.
  const notOps = ['attentionProbabilities', 'stateSlots']
  expect(Object.keys(ops).filter(name => !tried.has(name) && !notOps.includes(name))).toEqual([])
})

test('conformance does not register a skipped case, and prints the reason', () => {
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
