/** How often tensors were written in place: what is derived from weights is as old as this number, beside their data. */
let writes = 0

/** Called by whoever writes into a tensor's memory, or hands it out for that. */
export function noteInPlaceWrite(): void {
  writes++
}

export const inPlaceWrites = (): number => writes
