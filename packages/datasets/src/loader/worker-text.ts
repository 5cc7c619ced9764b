/** The worker's script as text, which the build makes (scripts/build.ts); among the sources there is none. */
export const text: string = ''
