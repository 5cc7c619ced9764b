/** Merges a configuration from its sources; later ones override earlier ones: a file, the environment, flags. */
import { readFileSync } from 'node:fs'
import { z } from '@hono/zod-openapi'
import { type Config, configSchema, parseConfig } from './config.ts'

/** Sources of a configuration. */
export interface ConfigSources {
  /** Path of a JSON file. */
  file?: string
  /** Environment variables: VITRAL_SERVE_ and a field's path, such as VITRAL_SERVE_TIMEOUTS_IDLE_SECONDS. */
  environment?: Record<string, string | undefined>
  /** Fields by path, such as 'timeouts.idleSeconds'; strings that are JSON are parsed. */
  settings?: Record<string, unknown>
}

type Fields = { [name: string]: unknown }

const prefix = 'VITRAL_SERVE_'

/**
 * Reads and validates a configuration.
 *
 * @throws Error of one line that names the file, variable or field that is wrong
 * @example
 * const config = readConfig({ file: 'server.json', environment: process.env, settings: { port: 8080 } })
 */
export function readConfig({ file, environment = {}, settings = {} }: ConfigSources): Config {
  const config: Fields = file === undefined ? {} : readFile(file)
  const paths = new Map(pathsOf(configSchema).map(path => [variableOf(path), path]))
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined) continue
    const path = paths.get(name)
    if (!path) throw new Error(`Unknown variable ${name}; expected one of ${[...paths.keys()].join(', ')}.`)
    set(config, path, value(text))
  }
  for (const [path, given] of Object.entries(settings))
    if (given !== undefined) set(config, path, typeof given === 'string' ? value(given) : given)
  return parseConfig(config)
}

/** Paths of all fields that are not sections, including those without a default. */
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

/** Parses a value as JSON (numbers, true, null, lists); anything else is a string, so that names need no quotes. */
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
    // Only own fields are followed: a path through __proto__ creates a section of that name, which the schema rejects.
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
    throw new Error(`The configuration ${file} is not valid JSON: ${(error as Error).message}.`, { cause: error })
  }
  throw new Error(`The configuration ${file} is not a JSON object.`)
}
