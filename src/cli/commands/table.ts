import type { Command } from '../command.ts'
import { clusterCommands } from './cluster.ts'
import { everydayCommands } from './everyday.ts'
import { completion } from './completion.ts'
import { version } from './version.ts'
import { groupList } from './group-list.ts'
import { orgApply } from './org-apply.ts'
import { orgCheck } from './org-check.ts'
import { orgInit } from './org-init.ts'
import { orgPlan } from './org-plan.ts'
import { userKubeconfig } from './user-kubeconfig.ts'
import { userList } from './user-list.ts'
import { orgStatus } from './org-status.ts'
import { login } from './login.ts'
import { orgHistory } from './org-history.ts'
import { orgDiff } from './org-diff.ts'
import { groupAdd } from './group-add.ts'
import { groupSetQuota } from './group-set-quota.ts'
import { userAdd } from './user-add.ts'
import { userMove } from './user-move.ts'
import { userGrant } from './user-grant.ts'
import { userRevoke } from './user-revoke.ts'
import { volumeAdd } from './volume-add.ts'
import { volumeGrant } from './volume-grant.ts'
import { volumeRevoke } from './volume-revoke.ts'
import { hostPlan } from './host-plan.ts'
import { hostApply } from './host-apply.ts'
import { orgExport } from './org-export.ts'
import { userRemove } from './user-remove.ts'
import { orgDrift } from './org-drift.ts'

/** Every command of `arena`, in the order of the help. */
export const commands: readonly Command[] = [
  ...everydayCommands,
  ...clusterCommands,
  orgInit,
  orgCheck,
  orgPlan,
  orgApply,
  orgDrift,
  orgStatus,
  orgHistory,
  orgDiff,
  orgExport,
  groupList,
  groupAdd,
  groupSetQuota,
  userList,
  userAdd,
  userRemove,
  userMove,
  userGrant,
  userRevoke,
  userKubeconfig,
  volumeAdd,
  volumeGrant,
  volumeRevoke,
  hostPlan,
  hostApply,
  login,
  version,
  completion,
]
