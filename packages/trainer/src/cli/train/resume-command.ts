/** What a user types to go on with what was stopped. */

/** @param args as they were given to the command */
export const resumeCommand = (command: string, args: readonly string[]): string =>
  [`vitral ${command}`, ...args.filter(arg => arg !== '--resume').map(quote), '--resume'].join(' ')

/** An argument quoted so that a shell reads it back. */
const quote = (argument: string): string =>
  /^[\w./:=@,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
