/** Requests of every form that accepts an image, with a name or URL in every place where one may stand. */
import { fileTensor, form, headerLength, post, withBinary } from './requests.ts'

export interface ImageRequest {
  path: string
  init: RequestInit
}

const classify = '/v1/models/tiny/classify'
const infer = '/v2/models/tiny/infer'

const tensorOf = (binary: Uint8Array, parameters: object = {}): object => ({
  ...{ name: 'image', shape: [1], datatype: 'BYTES' },
  parameters: { ...parameters, binary_data_size: binary.length },
})

/** @param version of the model, as the server names it */
export function requestsWith(file: Uint8Array<ArrayBuffer>, version: string): ImageRequest[] {
  const binary = fileTensor(file)
  const tasks = ['classify', 'embed', 'explain'].map(task => `/v1/models/tiny/${task}`)
  const tensors = [infer, `/v2/models/tiny/versions/${version}/infer`]
  return [
    ...tasks.flatMap(path => [post(file), post(form(file))].map(init => ({ path, init }))),
    { path: '/v1/models/tiny/explain', init: post(file, { accept: 'image/png' }) },
    ...[post(file), post({ inputs: file.toBase64() })].map(init => ({ path: '/models/tiny', init })),
    ...tensors.flatMap(path => [
      { path, init: post(file, { [headerLength]: '0', 'content-type': 'application/octet-stream' }) },
      { path, init: withBinary({ inputs: [tensorOf(binary)] }, binary) },
    ]),
  ]
}

function formWith(fields: Record<string, string>, file?: Uint8Array<ArrayBuffer>, filename = 'image.jpg'): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  if (file) data.append('image', new Blob([file]), filename)
  return data
}

/** Beside an image, which is what counts. */
export function requestsNaming(name: string, image: Uint8Array<ArrayBuffer>): ImageRequest[] {
  const binary = fileTensor(image)
  const headers = { 'content-location': name, referer: name, 'x-original-url': name, 'x-sendfile': name }
  const query = new URLSearchParams({ image: name, url: name, path: name })
  return [
    { path: classify, init: post(formWith({}, image, name)) },
    { path: classify, init: post(formWith({ image: name, url: name }, image)) },
    { path: classify, init: post(image, headers) },
    { path: `${classify}?${query}`, init: post(image) },
    { path: '/models/tiny', init: post({ inputs: image.toBase64(), options: { url: name, image: name } }) },
    { path: infer, init: withBinary({ id: name.slice(0, 255), inputs: [tensorOf(binary, { url: name })] }, binary) },
  ]
}

/** In place of an image. */
export function requestsOfNameAlone(name: string): ImageRequest[] {
  const wrong: unknown[] = [{ inputs: name }, { inputs: [name] }, { inputs: { url: name } }, { url: name }]
  const shared = { kind: 'system_shared_memory', shared_memory_region: name, key: name }
  return [
    ...wrong.map(body => ({ path: '/models/tiny', init: post(body) })),
    { path: '/models/tiny', init: post(name, { 'content-type': 'text/uri-list' }) },
    { path: classify, init: post(name, { 'content-type': 'text/uri-list' }) },
    { path: classify, init: post(formWith({ image: name })) },
    {
      path: classify,
      init: post(new URLSearchParams({ image: name }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      }),
    },
    { path: infer, init: post({ inputs: [{ name: 'image', shape: [1], datatype: 'BYTES', data: [name] }] }) },
    { path: infer, init: post({ inputs: [{ name: 'image', shape: [1], datatype: 'BYTES', parameters: shared }] }) },
    { path: infer, init: post({ inputs: [{ name, shape: [1], datatype: 'BYTES', data: [name] }] }) },
  ]
}
