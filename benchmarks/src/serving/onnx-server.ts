/** What somebody writes in an afternoon: onnxruntime-node behind a plain Hono handler, images prepared by sharp. */
import { Hono } from 'hono'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'

const { onnxFile, size, threads } = JSON.parse(process.argv[2] ?? '{}') as {
  onnxFile: string
  size: number
  threads: number
}
const session = await InferenceSession.create(onnxFile, { graphOptimizationLevel: 'all', intraOpNumThreads: threads })

const app = new Hono()
app.post('/classify', async context => {
  const bytes = new Uint8Array(await context.req.arrayBuffer())
  const rgb = await sharp(bytes).resize(size, size, { fit: 'fill', kernel: 'linear' }).removeAlpha().raw().toBuffer()
  const pixels = new Float32Array(rgb.length)
  const plane = size * size
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) pixels[c * plane + i] = (rgb[3 * i + c] as number) / 127.5 - 1
  const output = await session.run({ pixel_values: new Tensor('float32', pixels, [1, 3, size, size]) })
  const logits = output.logits?.data as Float32Array
  const largest = Math.max(...logits)
  const exponentials = Array.from(logits, value => Math.exp(value - largest))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  const predictions = exponentials.map((value, i) => ({ label: `LABEL_${i}`, score: value / sum }))
  return context.json({ predictions: predictions.sort((a, b) => b.score - a.score).slice(0, 5) })
})

const server = Bun.serve({ port: 0, fetch: request => app.fetch(request) })
console.log(JSON.stringify({ url: `${server.url}classify` }))
