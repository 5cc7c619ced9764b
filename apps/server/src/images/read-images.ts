/** The images of a request: its body is one, or has many as the files of a form. */
import type { Context } from 'hono'
import { withBody } from '../body.ts'
import { RequestError } from '../errors.ts'
import type { Services } from '../services.ts'
import { checkImage } from './check-image.ts'

const binary = { type: 'string' as const, format: 'binary' }

/** In OpenAPI's words; what is in them is checked by `checkImage`. */
export const imageBody = {
  required: true,
  description: 'One image as it is, or many as the files of a form. JPEG, PNG and WebP are known by their first bytes.',
  content: {
    'image/*': { schema: binary },
    'application/octet-stream': { schema: binary },
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        properties: { image: { type: 'array' as const, items: binary } },
        required: ['image'],
      },
    },
  },
}

/** @throws RequestError */
export async function withImages<Result>(
  context: Context,
  services: Services,
  use: (images: Uint8Array[]) => Promise<Result>,
): Promise<Result> {
  const { limits } = services.config
  const type = context.req.header('content-type') ?? 'application/octet-stream'
  const isForm = /^multipart\/form-data\s*(;|$)/i.test(type)
  if (!isForm && !/^(image\/[\w.+-]+|application\/octet-stream)\s*(;|$)/i.test(type))
    throw new RequestError(
      'unsupported_media_type',
      'The Content-Type is not one of image/*, application/octet-stream and multipart/form-data.',
    )
  return withBody(context, services, isForm ? limits.multipartBytes : limits.imageBytes, async body => {
    const images = isForm ? await filesOf(body, type) : [body]
    if (images.length === 0)
      throw new RequestError('invalid_request', 'The form has no file; expected one or more images.')
    if (images.length > limits.imagesPerRequest)
      throw new RequestError(
        'too_many_inputs',
        `The request has ${images.length} images; at most ${limits.imagesPerRequest} are taken.`,
      )
    for (const image of images) checkImage(image, limits)
    return use(images)
  })
}

async function filesOf(body: Uint8Array<ArrayBuffer>, type: string): Promise<Uint8Array[]> {
  let form: FormData
  try {
    form = await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch (error) {
    throw new RequestError('invalid_request', 'The form is malformed, or its boundary is missing.', { cause: error })
  }
  // Bun's types know of strings alone.
  const files = ([...form.values()] as (string | File)[]).filter(value => typeof value !== 'string')
  return Promise.all(files.map(async file => new Uint8Array(await file.arrayBuffer())))
}
