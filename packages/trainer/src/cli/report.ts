/** `vitral report`: the page about a training run. */
import { jsonLine } from '@vitral/core/text'
import { writeReport } from '../report/report.ts'
import { type Command, defineCommand, print } from './command.ts'
import { needed, text } from './options.ts'

export const reportCommand: Command = defineCommand({
  summary: 'writes the page about a training run',
  usage: ['report RUN'],
  about: `RUN is the folder of a run, finished or not. vitral train writes its report after each evaluation by itself; this writes it
anew. The page needs nothing else: curves, confusion, classes, calibration, images, recipe, environment.`,
  json: '{report}',
  options: { out: text({ value: 'FILE', help: 'where to (RUN/report.html)' }) },

  async run({ values, positionals }) {
    const run = needed(positionals[0], 'The folder of the run')
    const report = await writeReport(run, values.out)
    print(values.json ? jsonLine({ report }) : `The report is ${report}`)
    return 0
  },
})
