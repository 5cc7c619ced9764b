/** The entry of a model's worker process. */
import { loadModel } from './load-model.ts'
import { serveModel } from './serve-model.ts'

serveModel(loadModel)
