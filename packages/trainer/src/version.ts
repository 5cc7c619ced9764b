/** The version of this package, which the command prints and a run records; a test compares it with package.json. */
export const vitralVersion = '0.0.0'
