/** A page that loads a model, again, and again when its server fails, and posts what it got. */
import { type LoadAnswer, loadModel } from './load-model.ts'

const load = (): Promise<LoadAnswer> => loadModel({ source: '/model' })
const first = await load()
const second = await load()
await fetch('/fail')
const third = await load()
await fetch('/results', { method: 'POST', body: JSON.stringify([first, second, third]) })
