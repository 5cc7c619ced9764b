/**
 * `npx -y bun@1.4.5 run demo`: installs, builds, trains a small ViT on the CIFAR-10 sample in this repository, prints its
 * accuracy on images it has not seen, and classifies image files, with it and with the model in examples/pretrained. Takes
 * a few minutes on two cores.
 */
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { run, setUp, vitral } from './steps.ts'

const sample = 'examples/cifar10-sample'
const images = ['examples/images/cat.png', 'examples/images/ship.png']

const { values } = parseArgs({ options: { out: { type: 'string', default: 'runs/demo' }, help: { type: 'boolean' } } })
if (values.help) {
  console.log(
    'Usage: bun run demo [--out FOLDER]\n\nTrains on the CIFAR-10 sample and classifies an image; results in FOLDER (runs/demo).',
  )
  process.exit(0)
}

await setUp()
rmSync(values.out, { recursive: true, force: true })
await run(
  'Train a Vision Transformer on the sample',
  vitral('train', 'cifar10-demo', '--data', sample, '--out', values.out),
)
const best = `${values.out}/best`
await run(
  'Evaluate the best checkpoint on validation images',
  vitral('eval', '--model', best, '--dataset', 'cifar10', '--data', sample),
)
await run('Classify image files', vitral('predict', '--model', best, ...images))
await run(
  'Classify them with the model that comes with Vitral, which was trained for two hours',
  vitral('predict', '--model', 'examples/pretrained', ...images),
)
console.log(
  `\nThe model is in ${best}, a Hugging Face folder. What the run did is on a page: ${values.out}/report.html.`,
)
