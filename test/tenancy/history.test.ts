import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listRevisions, recordRevision } from '../../src/tenancy/index.ts'
import { openOrganisation, type TestOrganisation } from './organisation.ts'

let company: TestOrganisation

beforeAll(async () => {
  company = await openOrganisation()
})
afterAll(() => company.close())

const record = (text: string) =>
  recordRevision(company.client, { organisation: 'acme', text, outcomes: [], now: new Date() })

describe('the history', () => {
  it('keeps what was applied at the same moment by several', async () => {
    await Promise.all(['one', 'two', 'three'].map(record))
    const revisions = await listRevisions(company.client, 'acme')
    expect(revisions.map(({ number }) => number)).toEqual([3, 2, 1])
    expect(revisions.map(({ text }) => text).sort()).toEqual(['one', 'three', 'two'])
  })

  it('lets go of repairs first, so that they do not push the files of the past out', async () => {
    for (let repair = 0; repair < 102; repair += 1) await record('four')
    const revisions = await listRevisions(company.client, 'acme')
    expect(revisions).toHaveLength(100)
    expect(revisions[0]).toMatchObject({ number: 105, text: 'four' })
    expect(new Set(revisions.map(({ text }) => text))).toEqual(new Set(['one', 'two', 'three', 'four']))
  })
})
