/** The package's version, as in the OpenAPI document and in GET /v2. */
import packageJson from '../package.json' with { type: 'json' }

export const { version } = packageJson
