import { describe, expect, test } from 'bun:test'
import { createProgress, type ProgressStream, progressLine } from './progress.ts'

function capture(isTTY: boolean, env: Record<string, string> = {}) {
  const written: string[] = []
  let time = 0
  const stream: ProgressStream = { write: text => written.push(text), isTTY, columns: 100 }
  const progress = createProgress({ stream, now: () => time, env })
  const wait = (milliseconds: number) => {
    time += milliseconds
  }
  return { progress, written, wait, stream }
}

describe('progressLine', () => {
  const state = { title: 'epoch 1/5', done: 6400, total: 50000, loss: 2.1 }

  test('progressLine has bar, loss, speed and time left', () => {
    const line = progressLine(state, 320, 100)
    expect(line).toMatch(/^epoch 1\/5 ███▋ +12% {2}6400\/50000 images {2}loss 2\.1000 {2}320 images\/s {2}2:16 left$/)
  })

  test('fits any terminal', () => {
    for (let width = 0; width <= 140; width++) expect(progressLine(state, 320, width).length).toBeLessThanOrEqual(width)
  })
})

test('a narrow terminal has fewer facts, and no half ones', () => {
  const state = { title: 'epoch 1/5', done: 6400, total: 50000, loss: 2.1 }
  expect(progressLine(state, 320, 25)).toBe('epoch 1/5  12%  2:16 left')
  expect(progressLine(state, 320, 34)).toBe('epoch 1/5  12%  6400/50000 images')
  expect(progressLine(state, 320, 24)).toMatch(/^epoch 1\/5 \S+ +12%$/)
})

describe('createProgress', () => {
  test('rewrites one line on a terminal, and keeps what is said above it', () => {
    const { progress, written, wait } = capture(true)
    progress.update({ title: 't', done: 0, total: 10 })
    wait(10)
    progress.update({ title: 't', done: 1, total: 10 }) // too soon
    wait(200)
    progress.update({ title: 't', done: 5, total: 10 })
    progress.say('hello')
    progress.end()
    expect(written).toHaveLength(6)
    expect(written[0]?.startsWith('\r\x1b[2Kt ')).toBe(true)
    expect(written.slice(2, 4)).toEqual(['\r\x1b[2K', 'hello\n'])
    expect(written.join('')).not.toContain('10%')
    expect(written.at(-1)).toBe('\r\x1b[2K')
  })

  test('measures the speed from its first update on', () => {
    const { progress, written, wait } = capture(true)
    progress.update({ title: 't', done: 500, total: 1000 }) // a resumed epoch
    wait(2000)
    progress.update({ title: 't', done: 600, total: 1000 })
    expect(written.at(-1)).toContain('50 images/s  0:08 left')
  })

  test('fits a terminal that is resized, also what it writes again below a line that stays', () => {
    const { progress, written, wait, stream } = capture(true)
    const widths: number[] = []
    for (const columns of [100, 40, 12, 1, 60]) {
      stream.columns = columns
      progress.update({ title: 'epoch 1/5', done: 1, total: 10, loss: 2 })
      widths.push((written.at(-1) as string).slice('\r\x1b[2K'.length).length)
      wait(200)
    }
    expect(widths).toEqual([71, 39, 11, 0, 59])
    stream.columns = 20
    progress.say('hello')
    expect(written.at(-1)).toHaveLength(19)
    stream.columns = 0 // it does not know
    progress.update({ title: 't', done: 5, total: 10 })
    expect(written.at(-1)).toContain('50%')
  })

  test.each([
    ['TERM', 'dumb'],
    ['CI', 'true'],
    ['CI', '1'],
  ])('writes plain lines on a terminal with %s=%s', (name, value) => {
    const { progress, written, wait } = capture(true, { [name]: value })
    progress.update({ title: 't', done: 0, total: 10 })
    wait(10_000)
    progress.update({ title: 't', done: 5, total: 10 })
    progress.say('hello')
    progress.end()
    expect(written).toEqual(['t  50%  5/10 images  0.5 images/s  0:10 left\n', 'hello\n'])
  })

  test('rewrites its line where CI is said to be false', () => {
    const { progress, written } = capture(true, { CI: 'false', TERM: 'xterm' })
    progress.update({ title: 't', done: 0, total: 10 })
    expect(written[0]).toStartWith('\r\x1b[2K')
  })

  test('writes plain lines, and few of them, where there is no terminal', () => {
    const { progress, written, wait } = capture(false)
    for (let done = 0; done <= 30; done++) {
      progress.update({ title: 't', done, total: 30 })
      wait(1000)
    }
    progress.end()
    expect(written.map(line => line.match(/(\d+)\/30 images/)?.[1])).toEqual(['10', '20', '30'])
    for (const line of written) expect(line).toMatch(/^[\x20-\x7e]+\n$/)
  })
})
