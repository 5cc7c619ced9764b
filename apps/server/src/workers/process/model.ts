/** The entry of a model's process. */
import { loadModel } from './load-model.ts'
import { serveModel } from './serve-model.ts'

serveModel(loadModel)
