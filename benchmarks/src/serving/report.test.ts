import { expect, test } from 'bun:test'
import { reportServingCase } from './report.ts'

test('what the server adds, what all clients get, and what happens beyond that', () => {
  const body = reportServingCase(
    {
      clients: 16,
      measurements: [
        {
          title: 'A',
          alone: { server: 10.7, bare: 10, added: 0.5 },
          together: { server: 95, bare: 100, onnx: 50 },
          bestBatch: 8,
          p99: { server: 200, onnx: 400 },
          overload: { perSecond: 190, answered: 0.5, refused: 0.5, p99: 1990 },
          health: { median: 1, p99: 4.25 },
          clientMilliseconds: 0.2,
          batching: [{ maxBatchSize: 4, maxDelay: 2, perSecond: 90, median: 20, p99: 30 }],
          rounds: { counted: 3, discarded: 1, otherCores: 0.02 },
        },
      ],
    },
    { summary: 'Photos', command: 'bun run bench x', date: new Date('2030-01-02T03:04:05Z'), machine: 'a machine' },
  )
  const rows = body.split('\n').map(line =>
    line
      .split('|')
      .map(cell => cell.trim())
      .slice(1, -1),
  )
  expect(rows).toContainEqual(['A', '10.70', '10.00', '0.50 ms', '5.0%'])
  expect(rows).toContainEqual(['A', '95.0', '100.0 (batch 8)', '0.95', '50.0', '1.90×', '200 ms', '400 ms'])
  expect(rows).toContainEqual(['A', '190.0', '50.0%', '50.0%', '1990 ms', '2000 ms'])
  expect(rows).toContainEqual(['A', '1.0 ms', '4.3 ms'])
  expect(rows).toContainEqual(['4 at most', '2 ms', '90.0', '20.0 ms', '30.0 ms'])
})
