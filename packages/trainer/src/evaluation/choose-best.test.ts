import { expect, test } from 'bun:test'
import { isBetter, isExhausted, scoreOf } from './choose-best.ts'

test('the best evaluation is that of the best score, and of equal scores that of the lowest loss', () => {
  const early = { accuracy: 1, loss: 0.627 }
  expect(isBetter(early, undefined)).toBe(true)
  expect(isBetter({ accuracy: 1, loss: 0.0047 }, early)).toBe(true)
  expect(isBetter({ accuracy: 1, loss: 0.7 }, early)).toBe(false)
  expect(isBetter(early, early)).toBe(false)
  expect(isBetter({ accuracy: 0.9, loss: 0 }, early)).toBe(false)
  expect(isBetter({ accuracy: 1, loss: 9 }, { accuracy: 0.9, loss: 0 })).toBe(true)
})

test('a loss that is no number never wins a tie, and always loses one', () => {
  const broken = { accuracy: 0.5, loss: Number.NaN }
  expect(isBetter(broken, { accuracy: 0.5, loss: 7 })).toBe(false)
  expect(isBetter({ accuracy: 0.5, loss: 7 }, broken)).toBe(true)
})

test('where images may have several classes, mean average precision chooses, not how many are wholly right', () => {
  const ranked = { accuracy: 0, loss: 0.5, meanAveragePrecision: 0.9 }
  expect(scoreOf(ranked)).toBe(0.9)
  expect(isBetter(ranked, { accuracy: 0.1, loss: 0.4, meanAveragePrecision: 0.6 })).toBe(true)
})

test('early stopping waits for as many evaluations in a row as its patience, and counts gains above minDelta alone', () => {
  const stopping = { patience: 2, minDelta: 0.1 }
  expect(isExhausted([], stopping)).toBe(false)
  expect(isExhausted([0.5, 0.55], stopping)).toBe(false)
  expect(isExhausted([0.5, 0.55, 0.6], stopping)).toBe(true) // neither is more than 0.1 above 0.5
  expect(isExhausted([0.5, 0.55, 0.61], stopping)).toBe(false)
  expect(isExhausted([0.5, 0.61, 0.5, 0.5], stopping)).toBe(true)
  expect(isExhausted([0.5, 0.5, 0.5], { patience: 3 })).toBe(false)
  expect(isExhausted([0.5, 0.5, 0.5], null)).toBe(false)
})
