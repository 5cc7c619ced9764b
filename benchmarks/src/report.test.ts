import { expect, test } from 'bun:test'
import type { BatchResult } from './benchmark.ts'
import { reportCase } from './report.ts'

const batch: BatchResult = {
  batchSize: 8,
  peak: { oneThread: 100, allThreads: 198.4, sustained: 187.2 },
  measurements: [
    {
      contestant: 'vitral',
      title: 'Vitral native (avx2)',
      milliseconds: 2000,
      cpuMilliseconds: 3900,
      imagesPerSecond: 4,
      gflops: 140.52,
      shareOfPeak: 0.708,
      shareOfSustained: 0.751,
      vitralIsFasterBy: 1,
      peakMemoryMiB: 700.4,
      logitsDifference: 0,
    },
    {
      contestant: 'torch',
      title: 'PyTorch',
      milliseconds: 3000,
      cpuMilliseconds: undefined,
      imagesPerSecond: 2.667,
      gflops: 93.7,
      shareOfPeak: 0.472,
      shareOfSustained: 0.5,
      vitralIsFasterBy: 1.5,
      logitsDifference: 2e-6,
      lossDifference: 1e-5,
    },
  ],
  absent: [{ contestant: 'tfjs-wasm', reason: 'takes minutes; pass --slow' }],
  rounds: { counted: 5, discarded: 1, otherCores: 0.034 },
}

test('a section has the command, the machine, how quiet it was, who was absent, and one row for each contestant', () => {
  const body = reportCase([batch], {
    summary: 'One forward pass',
    command: 'bun run bench x',
    date: new Date('2030-01-02T03:04:05Z'),
    machine: 'a machine, 2 cores',
  })
  expect(body).toContain('One forward pass.\n\n- `bun run bench x`, 2030-01-02, Bun ')
  expect(body).toContain('- a machine, 2 cores\n')
  expect(body).toContain(
    '- batch 8: 5 rounds, 1 discarded, others used 0.03 cores; peak 100 GFLOP/s with one thread, 198 with two, 187 sustained\n',
  )
  expect(body).toContain('- absent: tfjs-wasm (takes minutes; pass --slow)\n')
  expect(body.split('\n').slice(-4)).toEqual([
    '| contestant           | batch | ms     | CPU ms | images/s | GFLOP/s | of peak | of sustained | Vitral is | memory  | Δ logits | Δ loss |',
    '| -------------------- | ----- | ------ | ------ | -------- | ------- | ------- | ------------ | --------- | ------- | -------- | ------ |',
    '| Vitral native (avx2) | 8     | 2000.0 | 3900   | 4.00     | 140.5   | 70.8%   | 75.1%        |           | 700 MiB |          |        |',
    '| PyTorch              | 8     | 3000.0 | ?      | 2.67     | 93.7    | 47.2%   | 50.0%        | 1.50×     | ?       | 2.0e-6   | 1.0e-5 |',
  ])
})
