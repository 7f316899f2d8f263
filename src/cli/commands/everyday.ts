import type { Command } from '../command.ts'
import { credential } from './credential.ts'
import { dataList } from './data-list.ts'
import { deleteJob } from './delete.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { logs } from './logs.ts'
import { quota } from './quota.ts'
import { submitTf } from './submit-tf.ts'
import { topJob } from './top-job.ts'
import { topNode } from './top-node.ts'
import { whoami } from './whoami.ts'

/**
 * Commands that people run all day. The build puts them into a file of their own, so that they start in half the time;
 * hence they must not import what only the others need.
 */
export const everydayCommands: readonly Command[] = [
  submitTf,
  list,
  get,
  logs,
  deleteJob,
  topJob,
  topNode,
  quota,
  whoami,
  dataList,
  credential,
]
