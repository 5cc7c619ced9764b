/** Something that can be held, and let go on. */
export class Pause {
  #over: Promise<void> | undefined
  #end = (): void => {}

  begin(): void {
    this.#over ??= new Promise(resolve => {
      this.#end = resolve
    })
  }

  end(): void {
    this.#over = undefined
    this.#end()
  }

  /** Settles once it is not held. */
  async over(): Promise<void> {
    await this.#over
  }
}
