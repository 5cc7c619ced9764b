/** Types of the packed packages as a user's compiler sees them, without the types of Node. */
import { expect, test } from 'bun:test'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { packedProject, runIn } from './packed-project.ts'

const tsc = join(import.meta.dir, '../node_modules/typescript/bin/tsc')

const everyModule = `
export * as backendWeb from '@vitral/backend-web'
export * as core from '@vitral/core'
export * as check from '@vitral/core/check'
export * as conformance from '@vitral/core/conformance'
export * as files from '@vitral/core/files'
export * as image from '@vitral/core/image'
export * as ops from '@vitral/core/ops'
export * as datasets from '@vitral/datasets'
export * as trainer from '@vitral/trainer'
export * as trainerInPage from '@vitral/trainer/browser'
export * as trainerInWorker from '@vitral/trainer/worker'
import { useBackend } from '@vitral/core'
export const { name }: { name: string } = await useBackend('auto')
// @ts-expect-error there is no such backend
await useBackend('gpu')
`

for (const [resolution, module] of [
  ['bundler', 'esnext'],
  ['nodenext', 'nodenext'],
])
  test(`a page compiles with moduleResolution ${resolution}`, async () => {
    const project = await packedProject()
    const folder = join(project, `types-${resolution}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'modules.ts'), everyModule)
    cpSync(join(import.meta.dir, '../vite-page/main.ts'), join(folder, 'main.ts'))
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: true, // TensorFlow.js's own declarations want it
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    expect(await runIn(folder, [process.execPath, tsc, '-p', '.'])).toBe('')
  }, 240_000)

test('declarations lead a compiler to no sources', async () => {
  const vitral = join(await packedProject(), 'node_modules/@vitral')
  for (const file of new Glob('*/dist/**/*.d.ts').scanSync(vitral))
    expect([file, /from '#.*/.exec(readFileSync(join(vitral, file), 'utf8'))?.[0]]).toEqual([file, undefined])
}, 240_000)
