/** The page: sends an image to this server, and shows labels, scores and the model's attention. */

const element = id => document.getElementById(id)

/** Replaces the children by one for each item. */
function fill(parent, items, childOf) {
  parent.replaceChildren()
  for (const item of items) parent.append(childOf(item))
}
const darkness = 0.8

/** @throws Error with the server's message */
async function ask(path, options = {}) {
  const key = element('key').value
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) }
  const response = await fetch(path, { ...options, headers })
  if (response.ok) return response.json()
  if (response.status === 401) element('key-field').hidden = false
  const { error } = await response
    .json()
    .catch(() => ({ error: `The server answered with status ${response.status}.` }))
  throw new Error(error)
}

function tell(text, isError = false) {
  element('status').textContent = text
  element('status').classList.toggle('error', isError)
}

/** Runs the action of a click or a drop, and shows its error in the status line. */
async function attempt(work) {
  try {
    await work()
  } catch (error) {
    tell(error.message, true)
  }
}

async function listModels() {
  const { models } = await ask('/v1/models')
  fill(element('model'), models, ({ name }) => new Option(name))
  tell('')
}

/** Number of the latest request: answers of earlier ones are not shown. */
let asked = 0
let address
/** File that was chosen last; another model is asked about it as soon as it is selected. */
let chosen

async function explain(file) {
  const number = ++asked
  chosen = file
  try {
    await show(file, number)
  } catch (error) {
    if (number !== asked) return
    // A result of another model or image would look like the answer.
    element('result').hidden = true
    throw error
  }
}

async function show(file, number) {
  tell('Classifying…')
  const model = encodeURIComponent(element('model').value)
  const headers = { 'content-type': 'application/octet-stream' }
  const { results } = await ask(`/v1/models/${model}/explain?top_k=5`, { method: 'POST', body: file, headers })
  if (number !== asked) return
  URL.revokeObjectURL(address)
  address = URL.createObjectURL(file)
  element('image').src = address
  await element('image').decode()
  const [{ predictions, attention }] = results
  draw(attention)
  fill(element('predictions'), predictions, bar)
  element('result').hidden = false
  const [best] = predictions
  tell(best ? `${best.label}, ${percent(best.score)}` : 'The model has no classifier, and gives no labels.')
}

const percent = score => `${(score * 100).toFixed(1)}%`

function bar({ label, score }) {
  const item = document.createElement('li')
  const name = document.createElement('span')
  name.textContent = label
  const value = document.createElement('span')
  value.textContent = percent(score)
  const meter = document.createElement('meter')
  meter.value = score
  meter.setAttribute('aria-label', label)
  item.append(name, value, meter)
  return item
}

/** Draws a pixel for each patch, dark where attention is low; the browser scales it smoothly to the image's size. */
function draw({ height, width, values }) {
  const canvas = element('attention')
  canvas.width = width
  canvas.height = height
  const pixels = new ImageData(width, height)
  for (const [i, value] of values.entries()) pixels.data[i * 4 + 3] = Math.round(255 * darkness * (1 - value))
  canvas.getContext('2d').putImageData(pixels, 0, 0)
}

let camera

async function openCamera() {
  if (!navigator.mediaDevices) throw new Error('The camera needs HTTPS, or a server at localhost.')
  camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  element('video').srcObject = camera
  element('live').hidden = false
  element('camera').hidden = true
  element('shoot').focus()
}

function closeCamera() {
  for (const track of camera.getTracks()) track.stop()
  element('live').hidden = true
  element('camera').hidden = false
}

async function shoot() {
  const video = element('video')
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d').drawImage(video, 0, 0)
  const file = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.95))
  closeCamera()
  await explain(file)
}

const drop = element('drop')
for (const type of ['dragover', 'dragleave', 'drop'])
  drop.addEventListener(type, event => {
    event.preventDefault()
    drop.classList.toggle('over', type === 'dragover')
  })
drop.addEventListener('drop', event => {
  const [file] = event.dataTransfer.files
  if (file) attempt(() => explain(file))
})
element('file').addEventListener('change', ({ target }) => {
  const [file] = target.files
  // The value is cleared, so that the same file can be chosen again.
  if (file) attempt(() => explain(file)).finally(() => (target.value = ''))
})
element('camera').addEventListener('click', () => attempt(openCamera))
element('close').addEventListener('click', closeCamera)
element('shoot').addEventListener('click', () => attempt(shoot))
element('overlay').addEventListener('change', ({ target }) => {
  element('attention').hidden = !target.checked
})
element('model').addEventListener('change', () => chosen && attempt(() => explain(chosen)))
element('settings').addEventListener('submit', event => event.preventDefault())
element('key').addEventListener('change', () => attempt(listModels))
attempt(listModels)
