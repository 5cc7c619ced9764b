/** An engine in a process of its own, for tests that kill it: writes the ids of its processes, then stays. */
import { createEngine } from '../../src/models/create-engine.ts'

const engine = await createEngine({ models: [{ name: 'tiny', folder: process.argv[2] as string, backend: 'cpu' }] })
process.on('SIGINT', async () => {
  const { outputs } = await engine.run({
    model: 'tiny',
    task: 'classify',
    inputs: [{ pixelValues: new Float32Array(3 * 16 * 16) }],
  })
  console.log(outputs.length)
  await engine.close()
  process.exit()
})
console.log(JSON.stringify(engine.processes()))
