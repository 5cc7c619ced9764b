/**
 * The server in a process of its own, with the model folder that is its argument: serve-folder.ts FOLDER [PORT]. CONFIG in
 * the environment is more of its configuration, as JSON.
 */
import type { ConfigInput } from '../../src/index.ts'
import { runServer } from '../../src/run.ts'

const [folder, port = 0] = process.argv.slice(2) as [string, string?]
const models = [{ name: 'tiny', folder, backend: 'cpu' as const }]
const more = JSON.parse(process.env.CONFIG ?? '{}') as ConfigInput
process.exitCode = await runServer({ port: Number(port), models, ...more })
