/** Stands in for native-backends.ts in browsers, so that bundlers do not follow it into Node's own modules. */

export const hasNative: boolean = false

const refuse = async (): Promise<never> => {
  throw new Error("it runs in Node, Bun and Deno alone; a browser has 'webgpu', 'wasm' and 'cpu'.")
}

export const startNative: () => Promise<void> = refuse
export const setNativeThreads: (threads: number) => Promise<void> = refuse
export const startTensorflow: () => Promise<void> = refuse
