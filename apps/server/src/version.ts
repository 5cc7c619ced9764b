/** The package's version, as it is told to clients and in the API's description. */
import packageJson from '../package.json' with { type: 'json' }

export const { version } = packageJson
