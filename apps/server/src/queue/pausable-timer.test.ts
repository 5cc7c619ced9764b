import { expect, test } from 'bun:test'
import { PausableTimer } from './pausable-timer.ts'

test('PausableTimer counts only the time in which nothing holds it', async () => {
  let isOver = false
  const timer = new PausableTimer(60, () => {
    isOver = true
  })
  await Bun.sleep(20)
  timer.pause()
  timer.pause()
  const { elapsed } = timer
  await Bun.sleep(80)
  timer.resume() // the other holds it still
  await Bun.sleep(20)
  expect(timer.elapsed).toBe(elapsed)
  expect(isOver).toBe(false)
  const resumed = performance.now()
  timer.resume()
  while (!isOver) await Bun.sleep(1)
  expect(performance.now() - resumed).toBeGreaterThanOrEqual(60 - elapsed - 2)
  timer.stop()
})

test('PausableTimer never fires once it is stopped, even if it is resumed', async () => {
  let isOver = false
  const timer = new PausableTimer(20, () => {
    isOver = true
  })
  timer.pause()
  timer.stop()
  timer.resume()
  await Bun.sleep(40)
  expect(isOver).toBe(false)
})
