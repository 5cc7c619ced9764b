import { expect, test } from 'bun:test'
import { reportDataCase } from './report.ts'

test('a section has the command, how quiet it was, who was absent, and one row for each contestant', () => {
  const body = reportDataCase(
    {
      measurements: [
        { contestant: 'vitral-loader', title: 'Vitral', milliseconds: 500, imagesPerSecond: 1024, vitralIsFasterBy: 1 },
        {
          contestant: 'torchvision',
          title: 'torchvision',
          milliseconds: 1000,
          imagesPerSecond: 512,
          vitralIsFasterBy: 2,
          loadingShare: 0.0123,
        },
      ],
      absent: [{ contestant: 'nobody', reason: 'not there' }],
      rounds: { counted: 5, discarded: 2, otherCores: 0.05 },
    },
    { summary: 'An epoch', command: 'bun run bench x', date: new Date('2030-01-02T03:04:05Z'), machine: 'a machine' },
  )
  expect(body.split('\n')).toEqual([
    'An epoch.',
    '',
    `- \`bun run bench x\`, 2030-01-02, Bun ${process.versions.bun}`,
    '- a machine',
    '- 5 rounds, 2 discarded, others used 0.05 cores',
    '- absent: nobody (not there)',
    '',
    '| contestant  | ms     | images/s | Vitral is | loading |',
    '| ----------- | ------ | -------- | --------- | ------- |',
    '| Vitral      | 500.0  | 1024     |           |         |',
    '| torchvision | 1000.0 | 512      | 2.00×     | 1.23%   |',
  ])
})
