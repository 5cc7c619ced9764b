/** Functions of the user's own, imported where they are needed: in a worker, which no function can be sent to. */
import type { ModuleExport } from './types.ts'

/**
 * Calls the function that a module exports.
 *
 * @param what it is to make, for messages
 * @throws naming the module, when it cannot be imported or exports no such function
 */
export async function callExport(
  { module, export: name = 'default' }: ModuleExport,
  args: readonly unknown[],
  what: string,
): Promise<unknown> {
  let exports: Record<string, unknown>
  try {
    exports = (await import(/* @vite-ignore */ /* webpackIgnore: true */ module)) as Record<string, unknown>
  } catch (error) {
    throw new Error(`${module}, which is to make ${what}, cannot be imported: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const factory = exports[name]
  if (typeof factory !== 'function')
    throw new Error(`${module} exports no function '${name}'; expected one that makes ${what}.`)
  return factory(...args)
}

export const isInModule = <T extends Partial<ModuleExport>>(spec: T): spec is T & ModuleExport =>
  spec.module !== undefined
