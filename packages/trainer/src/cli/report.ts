/** `vitral report`: the page about a training run. */
import { jsonLine } from '@vitral/core/text'
import { writeReport } from '../report/report.ts'
import { type Command, parse, print, required } from './command.ts'

const options = { out: { type: 'string' }, json: { type: 'boolean', default: false } } as const

export const reportCommand: Command = {
  summary: 'writes the page about a training run',
  help: `Usage: vitral report RUN [OPTIONS]

RUN is the folder of a run, finished or not. vitral train writes its report after each evaluation by itself; this writes it
anew. The page needs nothing else: curves, confusion, classes, calibration, images, recipe, environment.

  --out FILE         where to (RUN/report.html)
  --json             {report}
  --help             this text`,

  async run(args) {
    const { values, positionals } = parse(args, options)
    const run = required(positionals[0], 'The folder of the run')
    const report = await writeReport(run, values.out)
    print(values.json ? jsonLine({ report }) : `The report is ${report}`)
    return 0
  },
}
