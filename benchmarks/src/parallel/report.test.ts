import { expect, test } from 'bun:test'
import type { Round } from '../rounds.ts'
import { summaryOf } from './benchmark.ts'
import type { StepKind } from './protocol.ts'
import { reportParallelCase } from './report.ts'

const round = (milliseconds: Record<StepKind, number>, waiting: Partial<Record<StepKind, number>>): Round =>
  new Map(
    (['overlapped', 'after', 'silent', 'alone'] as const).map(kind => [
      kind,
      { milliseconds: milliseconds[kind], losses: [], waiting: [waiting[kind] ?? []].flat() },
    ]),
  )

test('the share that is hidden, and how much faster all are', () => {
  const rounds = [105, 110, 120].map(overlapped =>
    round({ overlapped, after: 140, silent: 100, alone: 99 }, { overlapped: overlapped / 10, after: 44 }),
  )
  const { milliseconds, speedup, silentSpeedup, waiting, hidden } = summaryOf(rounds, 2)
  expect(milliseconds).toEqual({ overlapped: 110, after: 140, silent: 100, alone: 99 })
  expect(speedup).toBeCloseTo(198 / 110)
  expect(silentSpeedup).toBeCloseTo(1.98)
  expect(waiting).toEqual({ overlapped: 11, after: 44 })
  expect(hidden).toBeCloseTo(0.75)
})

test('a section has the command, how quiet it was, and a row for each model', () => {
  const milliseconds = { overlapped: 110, after: 140, silent: 100, alone: 99 }
  const [waiting, rounds] = [
    { after: 44, overlapped: 11 },
    { counted: 3, discarded: 1, otherCores: 0.02 },
  ]
  const measurement = {
    title: 'A',
    imagesEach: 64,
    milliseconds,
    speedup: 1.8,
    silentSpeedup: 1.9,
    waiting,
    hidden: 0.75,
    rounds,
  }
  const body = reportParallelCase(
    { ranks: 2, measurements: [measurement] },
    { summary: 'Steps', command: 'bun run bench x', date: new Date('2030-01-02T03:04:05Z'), machine: 'a machine' },
  )
  const lines = body.split('\n')
  expect(lines).toContain('- A, 64 each: 3 rounds, 1 discarded, others used 0.02 cores')
  expect(
    lines
      .at(-1)
      ?.split('|')
      .map(cell => cell.trim()),
  ).toEqual([...['', 'A', '64', '99.0', '110.0', '1.80×', '1.90×', '44.0 ms', '11.0 ms', '75%', '']])
})
