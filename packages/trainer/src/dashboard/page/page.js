/** The page of a run: takes what the server tells, and draws it. */
import { drawChart } from './chart.js'

/** Steps, evaluations and progress as the server sent them. */
let run = { title: 'Connecting', steps: [], evaluations: [], progress: { state: 'connecting' } }

const states = {
  connecting: 'connecting',
  preparing: 'preparing data and model',
  training: 'training',
  evaluating: 'evaluating',
  testing: 'testing the best model',
  finished: 'finished',
  stopped: 'stopped; it can be resumed',
  failed: 'ended by an error',
}

const source = new EventSource('/events')
source.addEventListener('run', ({ data }) => {
  run = JSON.parse(data)
  element('recipe').textContent = JSON.stringify(run.recipe, null, 2)
  draw()
})
source.addEventListener('update', ({ data }) => {
  const { steps, evaluations, progress } = JSON.parse(data)
  for (const step of newer(steps, run.steps.at(-1))) run.steps.push(step)
  for (const evaluation of newer(evaluations, run.evaluations.at(-1))) run.evaluations.push(evaluation)
  Object.assign(run.progress, progress)
  if (['finished', 'stopped', 'failed'].includes(progress.state)) source.close()
  draw()
})
source.addEventListener('error', () => {
  if (source.readyState !== EventSource.CLOSED) element('state').textContent = 'no connection; trying again'
})
window.addEventListener('resize', draw)

/** What the images of the facts are, but in training. */
const counted = { evaluating: 'Evaluated', testing: 'Tested' }

/** What was told before the page came may be told once more. */
const newer = (points, last) => points.filter(({ step }) => last === undefined || step > last.step)

function draw() {
  const { title, steps, evaluations, progress } = run
  document.title = `${percentDone(progress)} ${title}`
  element('title').textContent = title
  element('state').textContent = states[progress.state] ?? progress.state
  element('bar').value = progress.totalSteps ? progress.step / progress.totalSteps : 0
  showFacts(progress, steps.at(-1), evaluations)
  const lastStep = steps.at(-1)?.step
  const losses = steps.map(({ step, loss }) => [step, loss])
  drawChart(element('loss'), {
    title: 'Loss',
    curves: [
      { name: 'each step', style: 'first raw', points: losses },
      { name: 'training', style: 'first', points: smooth(losses) },
      { name: 'validation', style: 'second', points: evaluations.map(({ step, loss }) => [step, loss]), dots: true },
    ],
    format: short,
    lastStep,
  })
  drawChart(element('accuracy'), {
    title: 'Validation accuracy',
    curves: [
      { name: 'top 1', style: 'first', points: evaluations.map(({ step, accuracy }) => [step, accuracy]), dots: true },
      ...secondCurve(evaluations),
    ],
    format: percent,
    lastStep,
    most: 1,
  })
  drawChart(element('lr'), {
    title: 'Learning rate',
    curves: [{ name: 'now', style: 'first', points: steps.map(({ step, lr }) => [step, lr]) }],
    format: short,
    lastStep,
  })
  drawChart(element('speed'), {
    title: 'Images per second',
    curves: [
      { name: 'now', style: 'first', points: steps.map(({ step, imagesPerSecond }) => [step, imagesPerSecond]) },
    ],
    format: short,
    lastStep,
  })
}

/** The top five, or of images that may have several classes how well they are ranked; none of five classes or fewer. */
function secondCurve(evaluations) {
  const [name, field] =
    evaluations[0]?.meanAveragePrecision === undefined
      ? ['top 5', 'top5']
      : ['mean average precision', 'meanAveragePrecision']
  const points = evaluations.filter(({ [field]: value }) => Number.isFinite(value))
  if (points.length === 0) return []
  return [{ name, style: 'second', points: points.map(point => [point.step, point[field]]), dots: true }]
}

function showFacts(progress, last, evaluations) {
  const { epoch, epochs, step, totalSteps, images, totalImages, state, secondsLeft, testAccuracy } = progress
  const best = evaluations.reduce((most, { accuracy }) => Math.max(most, accuracy), -Infinity)
  const facts = {
    Epoch: epoch && `${epoch} of ${epochs}`,
    Step: totalSteps && `${count(step)} of ${count(totalSteps)}`,
    [counted[state] ?? 'Images']: totalImages && `${count(images)} of ${count(totalImages)}`,
    Loss: Number.isFinite(last?.loss) && last.loss.toFixed(4),
    'Gradient norm': last?.gradNorm !== undefined && short(last.gradNorm),
    'Best accuracy': evaluations.length > 0 && percent(best),
    'Test accuracy': testAccuracy !== undefined && percent(testAccuracy),
    'Time left': secondsLeft !== undefined && ['training', 'evaluating'].includes(state) && duration(secondsLeft),
  }
  const entries = Object.entries(facts).filter(([, value]) => value)
  // biome-ignore lint/plugin: the facts above
  element('facts').replaceChildren(
    ...entries.map(([name, value]) => {
      const [group, term, description] = ['div', 'dt', 'dd'].map(tag => document.createElement(tag))
      term.textContent = name
      description.textContent = value
      group.append(term, description)
      return group
    }),
  )
}

/** A moving mean over about a hundredth of the run so far. */
function smooth(points) {
  const keep = 1 - 1 / Math.max(1, points.length / 100)
  let [sum, weight] = [0, 0]
  return points
    .filter(([, value]) => Number.isFinite(value))
    .map(([step, value]) => {
      sum = keep * sum + (1 - keep) * value
      weight = keep * weight + (1 - keep)
      return [step, sum / weight]
    })
}

const element = id => document.getElementById(id)
const count = value => value.toLocaleString('en')
const percent = share => `${(share * 100).toFixed(1)}%`
const percentDone = ({ step, totalSteps }) => (totalSteps ? `${Math.floor((step / totalSteps) * 100)}%` : '')
const short = value =>
  value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)))

function duration(seconds) {
  const whole = Math.round(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return parts.map((part, i) => (i === 0 ? part : String(part).padStart(2, '0'))).join(':')
}
