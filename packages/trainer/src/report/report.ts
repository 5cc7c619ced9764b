/** report.html: what a run did and what its best model can, on one page that needs nothing else. */
import { disk, writeFileAtomic } from '@vitral/core/files'
import { parseHistory } from '../dashboard/history.ts'
import { readRecord, runPaths } from '../run/folder.ts'
import { calibrationChart } from './calibration-chart.ts'
import { classTable } from './class-table.ts'
import { confusionTable } from './confusion-table.ts'
import { curves } from './curves.ts'
import { readEvaluation } from './evaluation-file.ts'
import { environmentTable, headline, timings } from './facts.ts'
import { escapeHtml, section } from './html.ts'
import { pageStyle } from './page-style.ts'
import { pictures } from './pictures.ts'

/**
 * Writes the report of a run, finished or not, from the files in its folder: `metrics.jsonl`, `recipe.json` and
 * `evaluation.json`. It is written aside and renamed.
 *
 * @param out the run's folder
 * @param file where to; beside them without it
 * @returns the path of the report
 * @throws when the folder holds no run
 */
export async function writeReport(out: string, file: string = runPaths(out).report): Promise<string> {
  await writeFileAtomic(file, await makeReport(out))
  return file
}

/** @returns the page's HTML. */
export async function makeReport(out: string): Promise<string> {
  const paths = runPaths(out)
  if (!(await disk.exists(paths.config)))
    throw new Error(
      `${out} holds no training run: it has no ${disk.basename(paths.config)}; expected the --out of vitral train.`,
    )
  const { recipe, environment, resumedIn = [] } = await readRecord(paths)
  const history = parseHistory((await disk.exists(paths.metrics)) ? await disk.readText(paths.metrics) : '')
  const reported = await readEvaluation(paths.evaluation)
  const { evaluation } = reported ?? {}
  const title = disk.basename(out)
  const single = evaluation && 'confusion' in evaluation ? evaluation : undefined
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – Vitral</title>
<style>${pageStyle}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>A training run of Vitral on ${escapeHtml(recipe.dataset)}.</p>
${headline(history, reported)}
${section('Training', wrap('charts', curves(history)))}
${section('Confusion matrix', single ? confusionTable(single) : '')}
${section('Classes', evaluation ? classTable(evaluation.perClass) : '')}
${section('How sure it is', single ? calibrationChart(single) : '')}
${section('Images', reported ? pictures(reported) : '')}
${section('Time', timings(history))}
${section('Recipe', `<pre>${escapeHtml(JSON.stringify(recipe, null, 2))}</pre>`)}
${section('Environment', [environment, ...resumedIn].map(environmentTable).join('\n'))}
</body>
</html>
`
}

const wrap = (name: string, body: string): string => (body.trim() ? `<div class="${name}">\n${body}\n</div>` : '')
