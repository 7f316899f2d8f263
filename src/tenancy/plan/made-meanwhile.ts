import { setTimeout } from 'node:timers/promises'
import { isStatus, type KubeClient, type KubeObject } from '../../kube/index.ts'
import { labels, manager } from '../objects/ownership.ts'
import type { Change } from './change.ts'
import { differences } from './difference.ts'
import { exactPaths } from './immutable.ts'
import { at } from './live.ts'

/** A server may refuse a second object of a name while the first one is still on its way to disk, and not to be read. */
const mostTries = 20

/**
 * Was an object made since the plan just as it should be, for the same organisation? Then somebody else applies the same
 * file at the same moment, and there is nothing to complain of.
 */
export async function isMadeMeanwhile(client: KubeClient, change: Change): Promise<boolean> {
  const live = await readSoon(client, change)
  if (live === undefined) return false
  const about = live.metadata.labels ?? {}
  const isOurs =
    about[labels.managedBy] === manager &&
    about[labels.organisation] === change.labels[labels.organisation] &&
    live.metadata.deletionTimestamp === undefined
  const wanted = { ...change.object, apiVersion: undefined, kind: undefined }
  return isOurs && differences(wanted, live, exactPaths).length === 0
}

async function readSoon(client: KubeClient, change: Change): Promise<KubeObject | undefined> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    try {
      return await client.get(change.type, at(change))
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error
      await setTimeout(25)
    }
  }
  return undefined
}
