import { afterAll, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Recipe } from './recipe/types.ts'
import { recipes } from './recipes/index.ts'
import { writeReport } from './report/report.ts'
import { openRun, recordRun, runPaths } from './run/folder.ts'
import { openSweep, readResult } from './sweep/sweep-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-json-'))
const recipe = recipes['cifar10-micro'] as Recipe
const paths = runPaths(folder)
afterAll(() => rmSync(folder, { recursive: true }))

beforeEach(async () => {
  rmSync(paths.config, { force: true })
  await recordRun(paths, recipe, {})
})

const half = (path: string): void => writeFileSync(path, readFileSync(path).subarray(0, 200))

test('a recipe.json that was cut off is named when the run is resumed and when its report is written', async () => {
  half(paths.config)
  const message = `${paths.config} is damaged: it is no JSON`
  await expect(openRun(folder, recipe, { resume: true })).rejects.toThrow(message)
  await expect(writeReport(folder)).rejects.toThrow(message)
  writeFileSync(paths.config, '{}')
  await expect(openRun(folder, recipe, { resume: true })).rejects.toThrow(
    `${paths.config} is damaged: it lacks what Vitral wrote there.`,
  )
  writeFileSync(paths.config, '')
  await expect(writeReport(folder)).rejects.toThrow(message)
})

test('an evaluation.json, a sweep.json and a result.json that were cut off are named', async () => {
  writeFileSync(paths.evaluation, '{"epoch": 1, "evalu')
  await expect(writeReport(folder)).rejects.toThrow(`${paths.evaluation} is damaged: it is no JSON`)
  const sweep = join(folder, 'sweep.json')
  await openSweep(folder, { recipe, trials: [['epochs=1']], resume: false })
  half(sweep)
  await expect(openSweep(folder, { recipe, trials: [], resume: true })).rejects.toThrow(`${sweep} is damaged`)
  writeFileSync(join(folder, 'result.json'), '{"status"')
  expect(() => readResult(folder)).toThrow(`${join(folder, 'result.json')} is damaged`)
})
