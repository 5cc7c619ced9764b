/** @throws naming what is not a whole number within the limits */
export function checkWhole(name: string, value: number, least: number, most: number = Infinity): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  throw new Error(`${name} is ${value}; expected a whole number ${range}.`)
}
