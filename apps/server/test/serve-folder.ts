/** The server in a process of its own, with the model folder that is its argument: serve-folder.ts FOLDER [PORT]. */
import { runServer } from '../src/run.ts'

const [folder, port = 0] = process.argv.slice(2) as [string, string?]
const models = [{ name: 'tiny', folder, backend: 'cpu' as const }]
process.exitCode = await runServer({ port: Number(port), models })
