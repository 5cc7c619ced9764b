import { expect, test } from 'bun:test'
import { recipePage, recipeRows } from './recipe-page.ts'

test('the page of recipes has every field with its default, those of groups too', () => {
  const rows = recipeRows()
  expect(rows.find(({ path }) => path === 'seed')).toMatchObject({ standard: '`42`' })
  expect(rows.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['batchSize', 'optimizer.lr', 'fineTune.lora.rank', 'ema.decay', 'model.config.patchSize']),
  )
  for (const { path, description } of rows)
    if (!path.startsWith('model.config.')) expect([path, description]).not.toContain('')
  expect(recipePage(rows)).toContain('| `ema.decay` | `0.9999` | How much of the average stays at each step. |')
})
