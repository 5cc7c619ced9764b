/** What the transfer is compared with: the four vehicles learnt from nothing, by the same number of steps. */
import { defineRecipe } from '@vitral/trainer'
import pretrain from './pretrain.ts'

export default defineRecipe({ ...pretrain, classes: ['airplane', 'automobile', 'ship', 'truck'], epochs: 1 })
