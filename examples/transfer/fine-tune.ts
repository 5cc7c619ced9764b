/** The second half of a transfer: the model that knows animals learns the four vehicles, with a new classifier. */
import { defineRecipe } from '@vitral/trainer'
import scratch from './scratch.ts'

export default defineRecipe({ ...scratch, model: { pretrained: 'runs/transfer/pretrain/best' } })
