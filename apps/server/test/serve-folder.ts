/** The server in a process of its own, with the model folder that is its argument: serve-folder.ts FOLDER. */
import { runServer } from '../src/run.ts'

const models = [{ name: 'tiny', folder: process.argv[2] as string, backend: 'cpu' as const }]
process.exitCode = await runServer({ port: 0, models })
