/** The vitral command as a real process: exit codes, one-line errors, --json, --help, Ctrl-C. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend, ViTForImageClassification } from '@vitral/core'
import { readSafetensors } from '@vitral/core/files'
import { vitralVersion } from '../../src/version.ts'
import { writeTinyCifar } from '../tiny-cifar.ts'

const folder = mkdtempSync(join(tmpdir(), 'vitral-cli-'))
const data = join(folder, 'cifar-10-batches-bin')
const image = join(import.meta.dirname, '../fixtures/cat.png')

const tiny = [
  'cifar10-demo',
  ...['--data', data, '--backend', 'cpu', '--epochs', '2', '--batch-size', '8'],
  ...['--set', 'model.config.hiddenSize=8', '--set', 'model.config.numHiddenLayers=1'],
  ...['--set', 'model.config.patchSize=8', '--set', 'model.config.hiddenDropoutProb=0.1'],
]

function start(args: string[]) {
  return Bun.spawn([process.execPath, join(import.meta.dirname, '../../src/cli/index.ts'), ...args], {
    cwd: folder,
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

async function vitral(...args: string[]) {
  const child = start(args)
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr, code }
}

beforeAll(() => writeTinyCifar(folder))
afterAll(() => rmSync(folder, { recursive: true }))

describe('help', () => {
  test.each([
    'train',
    'finetune',
    'lr-find',
    'sweep',
    'eval',
    'predict',
    'export',
    'report',
    'serve',
    'data',
    'bench',
    'doctor',
  ])('vitral %s --help', async name => {
    const { stdout, stderr, code } = await vitral(name, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toStartWith(`Usage: vitral ${name}`)
    expect(stdout).toContain('--json')
  })

  test('vitral --help lists the commands', async () => {
    const { stdout, code } = await vitral('--help')
    expect(code).toBe(0)
    expect([...stdout.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name)).toEqual([
      'train',
      'finetune',
      'lr-find',
      'sweep',
      'eval',
      'predict',
      'export',
      'report',
      'serve',
      'data',
      'bench',
      'doctor',
    ])
  })
})

test('vitral --version says which Vitral this is, and what runs it', async () => {
  expect(await vitral('--version')).toEqual({
    stdout: `vitral ${vitralVersion}, Bun ${process.versions.bun}\n`,
    stderr: '',
    code: 0,
  })
})

describe('bad input ends with one clear line and a code that is not 0', () => {
  const cases: [string[], RegExp][] = [
    [
      ['trian'],
      /^vitral: There is no command 'trian'; expected one of train, finetune, lr-find, sweep, eval, predict, export, report, serve, data, bench, doctor\. Did you mean 'train'\?$/,
    ],
    [['train'], /^vitral train: The recipe is missing\.$/],
    [['train', 'cifar10-mcro'], /^vitral train: There is no recipe 'cifar10-mcro'; expected one of cifar10-demo,/],
    [['train', './mine.ts'], /^vitral train: There is no recipe file .*mine\.ts\.$/],
    [['train', 'cifar10-demo', '--epoch', '3'], /^vitral train: Unknown option '--epoch'\. Did you mean '--epochs'\?$/],
    [['eval', '--modle', 'x'], /^vitral eval: Unknown option '--modle'\. Did you mean '--model'\?$/],
    [['predict', '--sideways'], /^vitral predict: Unknown option '--sideways'\.$/],
    [['train', 'cifar10-demo', '--set', 'optimiser.lr=1'], /field 'optimiser'; .* Did you mean 'optimizer'\?$/],
    [['train', 'cifar10-demo', '--epochs', '0'], /^vitral train: The recipe's epochs is 0; expected a whole number/],
    [['train', 'cifar10-demo', '--set', 'optimizer.rl=1'], /no field 'optimizer\.rl'; expected one of optimizer\.name/],
    [['train', 'cifar10-demo', '--backend', 'cuda'], /There is no backend 'cuda'; choose 'auto' or one of/],
    [[...tiny, '--resume', '--out', 'nothing'].toSpliced(0, 0, 'train'), /nothing holds no training run to resume/],
    [['train', 'cifar10-demo', '--backend', 'cpu', '--data', 'nowhere'], /nowhere has no CIFAR-10/],
    [['train', 'cifar10-demo', '--backend', 'cpu', '--dataset', 'imagenet'], /no data set 'imagenet'; expected/],
    [['train', 'cifar10-demo', '--backend', 'cpu', '--set', 'transforms=fancy'], /no transforms 'fancy'; expected/],
    [['eval', '--dataset', 'cifar10'], /^vitral eval: --model is missing\.$/],
    [
      ['eval', '--model', 'x', '--dataset', 'cifar10', '--batch-size', 'ten'],
      /--batch-size is 'ten'; expected a whole/,
    ],
    [['eval', '--model', './none', '--dataset', 'cifar10', '--data', data, '--backend', 'cpu'], /^vitral eval: .*none/],
    [['predict', 'cat.png'], /^vitral predict: --model is missing\.$/],
    [['predict', '--model', 'x'], /^vitral predict: The image file is missing\.$/],
  ]
  test.each(cases)('vitral %j', async (args, message) => {
    const { stdout, stderr, code } = await vitral(...args)
    expect(code).not.toBe(0)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^[^\n]+\n$/)
    expect(stderr.trimEnd()).toMatch(message)
  })
})

describe('from data to a prediction', () => {
  const out = join(folder, 'run')
  const best = join(out, 'best')
  const tuned = join(folder, 'tuned')
  let training: Awaited<ReturnType<typeof vitral>>
  let tuning: typeof training

  // Every test below reads these two runs, so that each can be run alone.
  beforeAll(async () => {
    training = await vitral('train', ...tiny, '--out', out, '--json')
    const settings = ['model={"pretrained":"run/best"}', 'model.config.imageSize=[40, 48]', 'fineTune.lora.rank=2']
    tuning = await vitral(
      ...['train', 'cifar10-finetune', '--data', data, '--backend', 'cpu', '--epochs', '1', '--lr', '0.01'],
      ...['--out', tuned, ...settings.flatMap(setting => ['--set', setting])],
    )
  }, 120_000)

  test('train leaves a model folder and says so in JSON', () => {
    const { stdout, stderr, code } = training
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const result = JSON.parse(stdout)
    expect(result).toEqual({
      out,
      finished: true,
      epochs: 2,
      steps: 10,
      seconds: expect.any(Number),
      best: { epoch: expect.any(Number), accuracy: expect.any(Number), loss: expect.any(Number) },
    })
    expect(readdirSync(best).sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
    expect(stderr).toMatch(/All [\d,]+ parameters train\./)
    expect(stderr).toMatch(/epoch 2\/2 {2}train loss [\d.]+ {2}validation: loss [\d.]+, accuracy [\d.]+%/)
    const run = JSON.parse(readFileSync(join(out, 'recipe.json'), 'utf8'))
    expect(run.recipe).toMatchObject({ epochs: 2, batchSize: 8, model: { config: { hiddenSize: 8 } } })
    expect(run.environment).toMatchObject({ vitral: expect.any(String), backend: 'cpu' })
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('<h2>Confusion matrix</h2>')
  })

  test('train fine-tunes adapters at another image size, and says how much trains', async () => {
    const { stderr, code } = tuning
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const [trains, positions] = [2 * 2 * (8 + 8) + 10 * 8 + 10, (30 - 16) * 8]
    const { tensors } = await readSafetensors(join(best, 'model.safetensors'))
    const before = [...tensors.values()].reduce((sum, { data: values }) => sum + values.length, 0)
    const total = before + positions + 2 * 2 * (8 + 8)
    expect(stderr).toContain(
      `${trains} of ${total.toLocaleString('en-US')} parameters train, ${((100 * trains) / total).toFixed(2)}%.`,
    )
    const json = (...path: string[]) => JSON.parse(readFileSync(join(tuned, ...path), 'utf8'))
    expect(json('best', 'config.json').image_size).toEqual([40, 48])
    expect(json('best', 'preprocessor_config.json').size).toEqual({ height: 40, width: 48 })
    expect(json('adapters', 'adapter_config.json')).toMatchObject({ r: 2, base_model_name_or_path: 'run/best' })
    const evaluated = await vitral(
      ...['eval', '--model', join(tuned, 'best'), '--dataset', 'cifar10', '--data', data, '--backend', 'cpu', '--json'],
    )
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ count: 20 })
  })

  test('train does not overwrite a run', async () => {
    const { stderr, code } = await vitral('train', ...tiny, '--out', out)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `vitral train: ${out} already holds a training run; add --resume to go on with it, or choose another --out.\n`,
    })
  })

  test("eval measures what train measured, in DESIGN's shape", async () => {
    const { stdout, code } = await vitral(
      ...[
        'eval',
        '--model',
        best,
        '--dataset',
        'cifar10',
        '--data',
        folder,
        '--download',
        '--backend',
        'cpu',
        '--json',
      ],
    )
    expect(code).toBe(0)
    const evaluation = JSON.parse(stdout)
    expect(Object.keys(evaluation).sort()).toEqual(
      [
        'accuracy',
        'top5',
        'loss',
        'count',
        'seconds',
        'imagesPerSecond',
        'macroF1',
        'ece',
        'calibration',
        'confusion',
        'perClass',
      ].sort(),
    )
    expect(evaluation.count).toBe(20)
    expect(evaluation.perClass[3]).toMatchObject({ label: 'cat', count: 2, recall: expect.any(Number) })
    const epochs = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ isBest }) => isBest)
    expect(evaluation.accuracy).toBe(epochs.at(-1).accuracy)
    expect(evaluation.loss).toBeCloseTo(epochs.at(-1).loss, 6)
  })

  test('eval prints a table for people', async () => {
    const { stdout } = await vitral('eval', '--model', best, '--dataset', 'cifar10', '--data', data, '--backend', 'cpu')
    expect(stdout).toMatch(
      /^accuracy [\d.]+%, top-5 [\d.]+%, loss [\d.]+: 20 images at \d+ a second\nmacro F1 [\d.]+%, expected calibration error [\d.]+%\n {2}plane /,
    )
  })

  test('export writes half the bytes, which see the same', async () => {
    const half = join(folder, 'half')
    const { stdout, code } = await vitral('export', '--model', best, '--out', half, '--dtype', 'float16', '--json')
    expect(code).toBe(0)
    const { dtype, parameters, files } = JSON.parse(stdout)
    expect({ dtype, parameters }).toEqual({ dtype: 'float16', parameters: expect.any(Number) })
    const weights = files.find(({ name }: { name: string }) => name === 'model.safetensors')
    expect(weights.bytes).toBeLessThan(parameters * 2 + 8000)
    expect(readdirSync(half).sort()).toEqual(['config.json', 'model.safetensors', 'preprocessor_config.json'])
    const predictions = async (model: string) =>
      JSON.parse((await vitral('predict', '--model', model, image, '--backend', 'cpu', '--json')).stdout)[0].predictions
    const [whole, halved] = [await predictions(best), await predictions(half)]
    for (const [i, { label, score }] of whole.entries()) {
      expect(halved[i].label).toBe(label)
      expect(halved[i].score).toBeCloseTo(score, 3)
    }
  })

  test('export merges adapters, and writes shards', async () => {
    const merged = join(folder, 'merged')
    const adapters = join(tuned, 'adapters')
    const { code } = await vitral(
      ...['export', '--model', best, '--adapters', adapters, '--out', merged, '--max-shard-size', '5KB'],
    )
    expect(code).toBe(0)
    expect(readdirSync(merged)).toContain('model.safetensors.index.json')
    await useBackend('cpu')
    const weightsOf = async (path: string) => {
      const model = await ViTForImageClassification.fromPretrained(path)
      return [...((await model.parameters().get('vit.encoder.layer.0.attention.attention.query.weight')?.data()) ?? [])]
    }
    const [before, after, trained] = [
      await weightsOf(best),
      await weightsOf(merged),
      await weightsOf(join(tuned, 'best')),
    ]
    expect(after).toEqual(trained)
    expect(after).not.toEqual(before)
  })

  test.each([
    [['--out', best], 'holds files already'],
    [['--dtype', 'int8'], "--dtype is 'int8'; expected one of float32, float16, bfloat16"],
    [['--max-shard-size', '5 GB'], "--max-shard-size is '5 GB'; expected bytes, or such as 500MB or 2GB"],
    [['--adapters', join(folder, 'none')], 'none'],
  ])('export %p is refused in one line', async (args, message) => {
    const { stderr, code } = await vitral('export', '--model', best, '--out', join(folder, 'refused'), ...args)
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(message)
    expect(existsSync(join(folder, 'refused'))).toBe(false)
  })

  test('predict names the classes of image files, best first', async () => {
    const { stdout, code } = await vitral('predict', '--model', best, image, image, '--backend', 'cpu', '--json')
    expect(code).toBe(0)
    const results = JSON.parse(stdout) as { image: string; predictions: { label: string; score: number }[] }[]
    expect(results.map(result => result.image)).toEqual([image, image])
    const { predictions } = results[0] as (typeof results)[number]
    expect(predictions).toHaveLength(5)
    for (const prediction of predictions) expect(Object.keys(prediction)).toEqual(['label', 'score'])
    const scores = predictions.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    const all = await vitral('predict', '--model', best, image, '--backend', 'cpu', '--json', '--top-k', '10')
    const sum = JSON.parse(all.stdout)[0].predictions.reduce(
      (total: number, { score }: { score: number }) => total + score,
      0,
    )
    expect(sum).toBeCloseTo(1, 5)
  })

  test('predict on what is no image is one line', async () => {
    const path = join(folder, 'text.png')
    writeFileSync(path, 'not an image')
    for (const file of [path, join(folder, 'none.png')]) {
      const { stdout, stderr, code } = await vitral('predict', '--model', best, file, '--backend', 'cpu')
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
      expect(stderr).toMatch(/^vitral predict: [^\n]+\n$/)
      expect(stderr).toContain(file)
    }
  })

  test('bench measures a model, and tells what a kernel takes', async () => {
    const common = ['bench', '--model', best, '--backend', 'cpu', '--rounds', '1', '--json']
    const { model, results } = JSON.parse((await vitral(...common)).stdout)
    expect({ model, results }).toEqual({
      model: best,
      results: [
        {
          ...{ backend: 'cpu', ratio: 1, times: [expect.any(Number)], milliseconds: expect.any(Number) },
          ...{ imagesPerSecond: expect.any(Number), gflops: expect.any(Number) },
        },
      ],
    })
    const { rows } = JSON.parse((await vitral(...common, '--train', '--profile')).stdout)
    expect(rows.map(({ kernel }: { kernel: string }) => kernel)).toContain('BatchMatMul')
    expect(rows.at(-1).kernel).toBe('between kernels')
  })

  test.each([
    [['--rounds', '0'], "--rounds is '0'; expected a whole number of at least 1"],
    [['--backend', 'cpu', '--backend', 'wasm', '--profile'], '--profile takes one backend'],
    [['--backend', 'cpu', '--threads', '2'], '--threads is for the backends native and wasm'],
    [['--precision', 'half'], "--precision is 'half'"],
    [['--model', '/no/such/model'], '/no/such/model'],
  ])('bench %p is refused in one line', async (args, message) => {
    const { stdout, stderr, code } = await vitral('bench', '--rounds', '1', '--backend', 'cpu', ...args)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    expect(stderr).toMatch(/^vitral bench: [^\n]+\n$/)
    expect(stderr).toContain(message)
  })

  test('doctor tells which backends start', async () => {
    const { stdout, code } = await vitral('doctor', '--json')
    expect(code).toBe(0)
    const { backends, devices, precision, nativeImages } = JSON.parse(stdout)
    expect(backends.map(({ name }: { name: string }) => name)).toEqual([
      ...['native', 'tensorflow', 'webgpu', 'wasm', 'cpu'],
    ])
    expect(backends.at(-1)).toEqual({ name: 'cpu', available: true })
    for (const { available, reason } of backends) expect(available || reason.length > 0).toBe(true)
    expect(nativeImages).toBe(backends[0].available)
    expect(devices[0]).toMatchObject({ kind: 'cpu', name: expect.any(String), cores: expect.any(Number) })
    const webgpu = backends.find(({ name }: { name: string }) => name === 'webgpu')
    expect(devices.length).toBe(webgpu.available ? 2 : 1)
    if (webgpu.available)
      expect(devices[1]).toMatchObject({
        ...{ kind: 'webgpu', name: expect.any(String), emulated: expect.any(Boolean), features: expect.any(Array) },
        limits: { maxBufferSize: expect.any(Number), maxStorageBufferBindingSize: expect.any(Number) },
      })
    const native = backends[0].available
    expect(precision).toEqual([
      ...(native ? ['float32', 'bfloat16', 'int8'] : ['float32']),
      ...(webgpu.available ? ['float16'] : []),
    ])
  })
})

describe('Ctrl-C', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s saves, says how to go on, and what goes on ends with the same bits',
    async (signal, exitCode) => {
      const [whole, out] = [join(folder, `whole-${signal}`), join(folder, `stopped-${signal}`)]
      const long = [...tiny, '--epochs', '12']
      const uninterrupted = vitral('train', ...long, '--out', whole)
      const child = start(['train', ...long, '--out', out])
      while (steps(out) < 3) await Bun.sleep(5)
      child.kill(signal)
      const stderr = await new Response(child.stderr).text()
      expect(await child.exited).toBe(exitCode)
      expect(steps(out)).toBeLessThan(60)
      expect(stderr).toContain(`vitral train ${long.join(' ')} --out ${out} --resume\n`)

      expect((await vitral('train', ...long, '--out', out, '--resume')).code).toBe(0)
      expect((await uninterrupted).code).toBe(0)
      const last = (run: string) => readSafetensors(join(run, 'checkpoints', 'step-000000060.safetensors'))
      const [resumed, straight] = await Promise.all([last(out), last(whole)])
      for (const [name, { data: values }] of straight.tensors) expect(resumed.tensors.get(name)?.data).toEqual(values)
    },
    60_000,
  )
})

test('Ctrl-C stops in the middle of an epoch', async () => {
  const out = join(folder, 'long-epoch')
  const child = start(['train', ...tiny, '--batch-size', '1', '--out', out]) // 40 steps an epoch
  while (steps(out) < 3) await Bun.sleep(2)
  child.kill('SIGINT')
  expect(await child.exited).toBe(130)
  expect(steps(out)).toBeLessThan(40)
  expect(existsSync(join(out, 'report.html'))).toBe(true)
})

const built = join(import.meta.dirname, '../../dist/cli/index.js')
if (!existsSync(built))
  console.log(`The command under plain Node is not tested: ${built} is not built (bun run build).`)

describe.skipIf(!existsSync(built))('under plain Node', () => {
  const node = (...args: string[]) => Bun.spawnSync(['node', built, ...args], { cwd: folder })

  test('train, eval and predict give what they give under Bun', async () => {
    const out = join(folder, 'node')
    const trained = node('train', ...tiny, '--out', out, '--json')
    expect(trained.stderr.toString()).toContain('epoch 2/2')
    const { best } = JSON.parse(trained.stdout.toString())
    const evaluated = await vitral(
      ...['eval', '--model', `${out}/best`, '--dataset', 'cifar10', '--data', data, '--backend', 'cpu', '--json'],
    )
    expect(JSON.parse(evaluated.stdout).accuracy).toBe(best.accuracy)
    const [here, there] = [
      await vitral('predict', '--model', `${out}/best`, image, '--backend', 'cpu', '--json'),
      node('predict', '--model', `${out}/best`, image, '--backend', 'cpu', '--json'),
    ]
    expect(there.stdout.toString()).toBe(here.stdout)
  })

  test('a TypeScript recipe is refused with what to do', () => {
    const path = join(folder, 'mine.ts')
    writeFileSync(path, 'export default {}')
    const { exitCode, stderr } = node('train', path)
    expect({ exitCode, stderr: stderr.toString() }).toEqual({
      exitCode: 1,
      stderr: `vitral train: Node cannot import ${path}; run vitral with Bun, or compile the recipe to .js.\n`,
    })
  })
})

/** How many steps the log of a run has. */
function steps(out: string): number {
  try {
    return readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('"event":"step"').length - 1
  } catch {
    return 0
  }
}
