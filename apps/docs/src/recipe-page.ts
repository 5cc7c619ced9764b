/** The table of a recipe's fields, from the JSON schema that @vitral/trainer ships. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './ops-table.ts'

interface Schema {
  description?: string
  default?: unknown
  properties?: Record<string, Schema>
  anyOf?: Schema[]
  enum?: unknown[]
}

/** One field: its path, what it is, and its default where it has one. */
export interface RecipeRow {
  path: string
  description: string
  standard: string
}

/** Every field of a recipe, those of groups below them. */
export function recipeRows(): RecipeRow[] {
  const text = readFileSync(join(repository, 'packages/trainer/recipe.schema.json'), 'utf8')
  return rowsOf(JSON.parse(text) as Schema)
}

function rowsOf({ properties = {}, anyOf = [] }: Schema, prefix = ''): RecipeRow[] {
  const own = Object.entries(properties)
    .filter(([name]) => name !== '$schema')
    .flatMap(([name, field]) => [
      {
        path: `${prefix}${name}`,
        description: field.description ?? '',
        standard: field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
      },
      ...rowsOf(field, `${prefix}${name}.`),
    ])
  return [...own, ...anyOf.flatMap(choice => rowsOf(choice, prefix))]
}

/** @returns the table as a Markdown page */
export const recipePage = (rows: readonly RecipeRow[]): string =>
  [
    '# Fields of a recipe\n',
    '| field | default | |',
    '| ----- | ------- | - |',
    ...rows.map(
      ({ path, description, standard }) => `| \`${path}\` | ${standard} | ${description.replaceAll('|', '\\|')} |`,
    ),
    '',
  ].join('\n')
