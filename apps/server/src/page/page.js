/** The page: sends an image to this server, and shows labels, scores, and where the model looked. */

const element = id => document.getElementById(id)

/** Puts a child for each of the items in the place of those before. */
function fill(parent, items, childOf) {
  parent.replaceChildren()
  for (const item of items) parent.append(childOf(item))
}
const darkness = 0.8

/** @throws the server's own sentence */
async function ask(path, options = {}) {
  const key = element('key').value
  const headers = { ...options.headers, ...(key && { authorization: `Bearer ${key}` }) }
  const response = await fetch(path, { ...options, headers })
  if (response.ok) return response.json()
  if (response.status === 401) element('key-field').hidden = false
  const { error } = await response.json().catch(() => ({ error: `The server answers with status ${response.status}.` }))
  throw new Error(error)
}

function tell(text, isError = false) {
  element('status').textContent = text
  element('status').classList.toggle('error', isError)
}

/** Runs what a click or a drop asks for; what goes wrong is told in its place on the page. */
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

/** Numbers the explanations: an answer that comes after a newer question is not shown. */
let asked = 0
let address
/** What another model is asked about as well once it is chosen. */
let chosen

async function explain(file) {
  const number = ++asked
  chosen = file
  try {
    await show(file, number)
  } catch (error) {
    if (number !== asked) return
    // What another model, or of another image, was said would look as the answer.
    element('result').hidden = true
    throw error
  }
}

async function show(file, number) {
  tell('The model is looking at it…')
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
  tell(
    best ? `It sees ${best.label}, ${percent(best.score)}.` : 'It names nothing: it is a model without a classifier.',
  )
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

/** A pixel for each patch, dark where the model did not look; the browser makes it smooth and as large as the image. */
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
  if (!navigator.mediaDevices) throw new Error('The camera needs https, or this machine’s own address.')
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
  // So that the same file can be chosen again.
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
