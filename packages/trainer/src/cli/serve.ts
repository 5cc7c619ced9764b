/** `vitral serve`: models over HTTP. The server is a package of its own, loaded when it is asked for. */

import { basename } from 'node:path'
import { parseInteger } from '../numbers.ts'
import { backendOption, type Command, parse, precisionOf, precisionOption } from './command.ts'
import { fetchModel } from './download.ts'
import { createProgress } from './progress.ts'

const options = {
  ...backendOption,
  ...precisionOption,
  'allow-without-key': { type: 'boolean' },
  config: { type: 'string' },
  host: { type: 'string' },
  'max-batch-size': { type: 'string' },
  'max-delay': { type: 'string' },
  port: { type: 'string' },
  'queue-size': { type: 'string' },
  set: { type: 'string', multiple: true },
  threads: { type: 'string' },
  workers: { type: 'string' },
} as const

export const serve: Command = {
  summary: 'answers over HTTP',
  goesOnUnread: true,
  help: `Usage: vitral serve [NAME=]MODEL… [OPTIONS]

  MODEL               a model folder, or a hub id; NAME is what clients call it (the folder's)
  --host ADDRESS      address to listen on (127.0.0.1)
  --port N            port to listen on, 0 for any (8000)
  --allow-without-key listens for other machines though no API key is configured
  --precision NAME    float32, or of the products bfloat16 or int8 (float32)
  --backend NAME      auto, native, tensorflow, webgpu, wasm or cpu (auto)
  --max-batch-size N  images computed together at most (8)
  --max-delay N       milliseconds that the first image of a batch waits for others (0)
  --queue-size N      images that may wait; more are refused (256)
  --workers N         processes that compute, each with the weights (1)
  --threads N         threads of each (the processors, shared among them)
  --config FILE       settings as JSON
  --set FIELD=VALUE   one setting, such as limits.imagePixels=1000000 or, of the first model,
                      models.0.queueSize=64; may be repeated
  --json              as without it: whatever happens is a line of JSON
  --help              this text

Settings come from the file, then variables such as VITRAL_SERVE_LIMITS_IMAGE_PIXELS, then
options. The page is at /, the description of the API at /docs. SIGTERM ends the server when what
it has accepted is answered. Needs Bun, and the package @vitral/server.`,

  async run(args) {
    const { values, positionals } = parse(args, options)
    const number = (
      name: 'max-batch-size' | 'max-delay' | 'port' | 'queue-size' | 'threads' | 'workers',
      least: number,
    ) => (values[name] === undefined ? undefined : parseInteger(`--${name}`, values[name], least))
    const settingsOfModels = {
      backend: values.backend,
      precision: precisionOf(values),
      maxBatchSize: number('max-batch-size', 1),
      maxDelay: number('max-delay', 0),
      queueSize: number('queue-size', 1),
      workers: number('workers', 1),
      threads: number('threads', 1),
    }
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
        host: values.host,
        port: number('port', 0),
        allowWithoutKey: values['allow-without-key'],
        // Without any, those of the file are served.
        models: models.length > 0 ? models : undefined,
        // After the models, as one may be of them.
        ...Object.fromEntries((values.set ?? []).map(setting)),
      },
    })
    return await runServer(config)
  },
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
