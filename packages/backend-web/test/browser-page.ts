/** What runs in the browser: the tests call these functions through the page. */
import { setWasmPath } from '@vitral/backend-web'
import { type BackendName, useBackend } from '@vitral/core'
import { trainingStep } from './training-step.ts'

/** Why a backend cannot start; undefined when it does. */
const whyNot = (name: BackendName): Promise<string | undefined> =>
  useBackend(name).then(
    () => undefined,
    (error: Error) => error.message,
  )

Object.assign(globalThis, { trainingStep, setWasmPath, whyNot })
