/** A configuration from its sources, later ones over earlier: a file, the environment, flags. */
import { readFileSync } from 'node:fs'
import { z } from '@hono/zod-openapi'
import { type Config, configSchema, parseConfig } from './config.ts'

export interface ConfigSources {
  /** Path of a JSON file. */
  file?: string
  /** Variables named VITRAL_SERVE_, then a field's path: VITRAL_SERVE_TIMEOUTS_IDLE_SECONDS. */
  environment?: Record<string, string | undefined>
  /** Fields by path: 'timeouts.idleSeconds'. A text that is JSON is taken as such. */
  settings?: Record<string, unknown>
}

type Fields = { [name: string]: unknown }

const prefix = 'VITRAL_SERVE_'

/** @throws one line, naming the file, variable or field that is wrong */
export function readConfig({ file, environment = {}, settings = {} }: ConfigSources): Config {
  const config: Fields = file === undefined ? {} : readFile(file)
  const paths = new Map(pathsOf(configSchema).map(path => [variableOf(path), path]))
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined) continue
    const path = paths.get(name)
    if (!path)
      throw new Error(`There is no setting for the variable ${name}; expected one of ${[...paths.keys()].join(', ')}.`)
    set(config, path, value(text))
  }
  for (const [path, given] of Object.entries(settings))
    if (given !== undefined) set(config, path, typeof given === 'string' ? value(given) : given)
  return parseConfig(config)
}

/** Of every field that is no section, also of those that have no default. */
function pathsOf(schema: z.ZodType, before = ''): string[] {
  const section = schema instanceof z.ZodPrefault ? schema.unwrap() : schema
  if (!(section instanceof z.ZodObject)) return [before]
  return Object.entries(section.shape).flatMap(([name, field]) =>
    pathsOf(field as z.ZodType, before ? `${before}.${name}` : name),
  )
}

const variableOf = (path: string): string =>
  prefix +
  path
    .replaceAll('.', '_')
    .replaceAll(/[A-Z]/g, letter => `_${letter}`)
    .toUpperCase()

/** Numbers, true, null, lists; anything else is a text, so that names need no quotes. */
function value(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function set(config: Fields, path: string, to: unknown): void {
  const names = path.split('.')
  const last = names.pop() as string
  let section = config
  for (const name of names) {
    // Own fields alone: a path through __proto__ makes a section of that name, which the schema refuses.
    const next = Object.hasOwn(section, name) ? section[name] : undefined
    if (typeof next === 'object' && next !== null) section = next as Fields
    else {
      const made = {}
      Object.defineProperty(section, name, { value: made, enumerable: true, writable: true, configurable: true })
      section = made
    }
  }
  Object.defineProperty(section, last, { value: to, enumerable: true, writable: true, configurable: true })
}

function readFile(file: string): Fields {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`The configuration ${file} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields
  } catch (error) {
    throw new Error(`The configuration ${file} is no valid JSON: ${(error as Error).message}.`, { cause: error })
  }
  throw new Error(`The configuration ${file} is not one JSON object.`)
}
