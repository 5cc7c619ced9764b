import { serveTraining } from '@vitral/trainer/worker'

serveTraining()
