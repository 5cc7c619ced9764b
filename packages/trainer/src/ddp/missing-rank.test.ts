/** Whose failure a failure of collectives is; what native code says of it is tested in @vitral/backend-node. */
import { expect, test } from 'bun:test'
import { letOthersSpeakFirst, missingRank } from './missing-rank.ts'

const ofRank = (waitedFor: number) => Object.assign(new Error('barrier failed'), { waitedFor })

test('it is that of the rank which the error has, rank 0 too', () => {
  expect(missingRank(ofRank(2))).toBe(2)
  expect(missingRank(ofRank(0))).toBe(0)
})

test('an error that comes of it has the same', () => {
  const cause = new Error('The report is not written.', { cause: ofRank(3) })
  expect(missingRank(new Error('The run ends.', { cause }))).toBe(3)
})

test('another error is of nobody, whatever its text', () => {
  expect(missingRank(new Error('barrier failed on rank 1: rank 0 (process 7) has died'))).toBeUndefined()
  expect(missingRank(Object.assign(new Error('odd'), { waitedFor: 'rank 1' }))).toBeUndefined()
  expect(missingRank('rank 0 has died')).toBeUndefined()
  expect(missingRank(undefined)).toBeUndefined()
})

test("only another's failure waits for the other's words", async () => {
  let spoken = false
  const other = letOthersSpeakFirst(ofRank(1)).then(() => (spoken = true))
  await letOthersSpeakFirst(new Error('the disk is full'))
  expect(spoken).toBe(false)
  await other
})
