/** The API reference: each route with an example call, its request and its answer. */

const openapi = await (await fetch('/openapi.json')).json()

/** Creates an element with its children; strings become text, never markup. */
function make(name, ...children) {
  const made = document.createElement(name)
  made.append(...children)
  return made
}

/** Resolves a reference to a named schema. */
function resolve(schema) {
  const name = schema?.$ref?.split('/').at(-1)
  return name ? openapi.components.schemas[name] : schema
}

/** Writes a schema as a TypeScript type. */
function type(given, indent = '') {
  const schema = resolve(given) ?? {}
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(one => type(one, indent)).join(' | ')
  if (schema.type === 'array') return `${type(schema.items, indent)}[]`
  if (schema.type === 'string' && schema.format === 'binary') return 'bytes'
  if (schema.type !== 'object') return [schema.type ?? 'any'].flat().join(' | ')
  const fields = Object.entries(schema.properties ?? {})
  if (fields.length === 0) return 'object'
  const inner = `${indent}  `
  const lines = fields.map(([name, field]) => {
    const mark = schema.required?.includes(name) ? '' : '?'
    return `${inner}${name}${mark}: ${type(field, inner)}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}

function curl(method, path, body) {
  const types = Object.keys(body?.content ?? {})
  const data = types.includes('image/*')
    ? ` -H 'Content-Type: image/jpeg' --data-binary @photo.jpg`
    : types.includes('application/json')
      ? ` -H 'Content-Type: application/json' -d @request.json`
      : ''
  return `curl${method === 'post' ? ' -X POST' : ''} ${location.origin}${path}${data}`
}

const contents = (content = {}) =>
  Object.entries(content).flatMap(([name, { schema }]) => [make('p', make('code', name)), make('pre', type(schema))])

function describe(path, method, route) {
  const pre = make('pre', curl(method, path, route.requestBody))
  let parts = route.description ? [make('p', route.description), pre] : [pre]
  if (route.parameters?.length) {
    const items = route.parameters.map(({ name, in: place, schema, description }) =>
      make('p', make('code', name), ` in ${place}: ${type(schema)}. ${description ?? schema.description ?? ''}`),
    )
    parts = [...parts, make('h3', 'Parameters'), ...items]
  }
  if (route.requestBody) parts = [...parts, make('h3', 'Body'), ...contents(route.requestBody.content)]
  parts = [...parts, make('h3', 'Answer'), ...contents(route.responses[200]?.content)]
  const failures = Object.keys(route.responses).filter(status => status !== '200')
  if (failures.length > 0) parts.push(make('p', `Errors { error, code }: ${failures.join(', ')}`))
  const summary = make('summary', make('code', `${method.toUpperCase()} ${path}`), ` ${route.summary}`)
  return make('details', summary, ...parts)
}

const routes = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, route]) => ({ path, method, route })),
)
for (const [tag, group] of Map.groupBy(routes, ({ route }) => route.tags[0]))
  document
    .getElementById('routes')
    .append(make('h2', tag), ...group.map(({ path, method, route }) => describe(path, method, route)))
