/** `vitral serve`: models over HTTP. The server is a package of its own, loaded when it is asked for. */

import { basename } from 'node:path'
import { backendOption, type Command, defineCommand, precisionOption } from './command.ts'
import { fetchModel } from './download.ts'
import { flag, integer, repeated, text } from './options.ts'
import { createProgress } from './progress.ts'

/** Options that set a field of the configuration; models.0 stands for each model that is named. */
const fields = {
  host: 'host',
  port: 'port',
  'allow-without-key': 'allowWithoutKey',
  precision: 'models.0.precision',
  backend: 'models.0.backend',
  'max-batch-size': 'models.0.maxBatchSize',
  'max-delay': 'models.0.maxDelay',
  'queue-size': 'models.0.queueSize',
  workers: 'models.0.workers',
  threads: 'models.0.threads',
} as const

const options = {
  host: text({ value: 'ADDRESS', help: 'address to listen on' }),
  port: integer({ least: 0, help: 'port to listen on, 0 for any' }),
  'allow-without-key': flag('listens for other machines though no API key is configured'),
  ...precisionOption,
  ...backendOption,
  'max-batch-size': integer({ help: 'images computed together at most' }),
  'max-delay': integer({ least: 0, help: 'milliseconds that the first image of a batch waits for others' }),
  'queue-size': integer({ help: 'images that may wait; more are refused' }),
  workers: integer({ help: 'processes that compute, each with the weights' }),
  threads: integer({ help: 'threads of each (the processors, shared among them)' }),
  config: text({ value: 'FILE', help: 'settings as JSON' }),
  set: repeated({
    value: 'FIELD=VALUE',
    help: 'one setting, such as limits.imagePixels=1000000 or, of the first model, models.0.queueSize=64',
  }),
}

export const serve: Command = defineCommand({
  summary: 'answers over HTTP',
  goesOnUnread: true,
  usage: ['serve [NAME=]MODEL…'],
  about: "MODEL is a model folder, or a hub id; NAME is what clients call it (the folder's).",
  json: 'as without it: whatever happens is a line of JSON',
  after: `Settings come from the file, then variables such as VITRAL_SERVE_LIMITS_IMAGE_PIXELS, then
options. The page is at /, the description of the API at /docs. SIGTERM ends the server when what
it has accepted is answered. Needs Bun, and the package @vitral/server.`,
  options,
  defaults,

  async run({ values, positionals }) {
    const settings = Object.entries(fields).map(([name, path]) => {
      const value = values[name as keyof typeof fields]
      return [path, value === false ? undefined : value] as const // a flag that is not given leaves what the file says
    })
    const ofModels = settings.filter(([path]) => path.startsWith(firstModel))
    const settingsOfModels = Object.fromEntries(ofModels.map(([path, value]) => [path.slice(firstModel.length), value]))
    const { readConfig, runServer } = await loadServer()
    const models = []
    for (const argument of positionals) {
      const [, name, model] = /^(?:([^=/\\]+)=)?(.+)$/s.exec(argument) as unknown as [
        string,
        string | undefined,
        string,
      ]
      const folder = await fetchModel(model, createProgress())
      models.push({ name: name ?? basename(model), folder, ...settingsOfModels })
    }
    const config = readConfig({
      file: values.config,
      environment: process.env,
      settings: {
        ...Object.fromEntries(settings.filter(([path]) => !path.startsWith(firstModel))),
        // Without any, those of the file are served.
        models: models.length > 0 ? models : undefined,
        // After the models, as one may be of them.
        ...Object.fromEntries((values.set ?? []).map(setting)),
      },
    })
    return await runServer(config)
  },
})

const firstModel = 'models.0.'

/** The configuration's own defaults, where the server is there to ask. */
async function defaults(): Promise<Record<string, unknown>> {
  try {
    const { parseConfig } = await import('@vitral/server')
    const config: unknown = parseConfig({ models: [{ name: 'model', folder: 'model' }] })
    const valueAt = (path: string): unknown =>
      path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)?.[key], config)
    return Object.fromEntries(Object.entries(fields).map(([name, path]) => [name, valueAt(path)]))
  } catch {
    return {}
  }
}

/** @throws one line that says what to do */
async function loadServer(): Promise<typeof import('@vitral/server')> {
  if (!process.versions.bun) throw new Error('The server needs Bun; run it as: bunx --bun vitral serve …')
  try {
    // Before the server is loaded, which would be for nothing.
    const { restartWithAllocatorSettings } = await import('@vitral/server/allocator-settings')
    restartWithAllocatorSettings()
    return await import('@vitral/server')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' && /'@vitral\/server[/']/.test(message)
    throw isMissing ? new Error('The server is not installed; run: bun add @vitral/server', { cause: error }) : error
  }
}

function setting(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`--set is '${text}'; expected FIELD=VALUE, such as timeouts.idleSeconds=60.`)
  return [text.slice(0, at), text.slice(at + 1)]
}
