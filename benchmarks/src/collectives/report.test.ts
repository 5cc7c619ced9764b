import { expect, test } from 'bun:test'
import { reportCollectivesCase } from './report.ts'

test('a section has the command, how quiet it was, and one row for each size', () => {
  const body = reportCollectivesCase(
    {
      ranks: 2,
      measurements: [
        { title: 'copy', bytes: 350_000_000, milliseconds: 35, gigabytesPerSecond: 10, shareOfCopy: 1 },
        { title: 'local', bytes: 1024, milliseconds: 0.0256, gigabytesPerSecond: 0.04, shareOfCopy: 0.004 },
      ],
      absent: ['mpi'],
      rounds: { counted: 5, discarded: 2, otherCores: 0.05 },
    },
    { summary: 'Sums', command: 'bun run bench x', date: new Date('2030-01-02T03:04:05Z'), machine: 'a machine' },
  )
  expect(body.split('\n')).toEqual([
    'Sums.',
    '',
    `- \`bun run bench x\`, 2030-01-02, Bun ${process.versions.bun}`,
    '- a machine',
    '- 2 processes; 5 rounds, 2 discarded, others used 0.05 cores',
    '- GB/s are the bytes of the array in one process by the time; `of copying` is that by the GB/s of the copy',
    '- absent: mpi (mpirun starts no process here)',
    '',
    '| engine | array   | ms     | GB/s  | of copying |',
    '| ------ | ------- | ------ | ----- | ---------- |',
    '| copy   | 350 MB  | 35.000 | 10.00 | 100%       |',
    '| local  | 1.02 KB | 0.026  | 0.04  | 0%         |',
  ])
})
