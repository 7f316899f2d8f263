import type {
  ExemptPriorityLevelConfiguration as Exempt,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from 'kubernetes-types/flowcontrol/v1.js'
import { type Fault, forbiddenField, invalidValue, notSupported, required } from '../../faults.ts'
import { same } from '../../validation/equality.ts'
import { between } from '../../validation/names.ts'
import { ageColumn, column, nameColumn } from '../columns.ts'
import { define } from '../define.ts'
import { conditionFaults } from './conditions.ts'
import { mandatoryPriorityLevels } from './suggested.ts'

type Spec = NonNullable<PriorityLevelConfiguration['spec']>

const mostQueues = 10_000_000
/** Bits of the hash that deals a request its queues. */
const hashBits = 60
const usual = { shares: 30, handSize: 8, queues: 64, queueLengthLimit: 50 }

export const priorityLevelConfigurations = define<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  hasStatus: true,
  tracksGeneration: true,
  setDefaults({ spec }) {
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    if (!spec?.limited) return
    spec.limited.nominalConcurrencyShares ??= usual.shares
    spec.limited.lendablePercent ??= 0
    const queuing = spec.limited.limitResponse?.queuing
    if (!queuing) return
    queuing.handSize ||= usual.handSize
    queuing.queues ||= usual.queues
    queuing.queueLengthLimit ||= usual.queueLengthLimit
  },
  validate: ({ metadata: { name = '' }, spec, status }) => [
    ...specFaults(name, spec ?? { type: '' }),
    ...conditionFaults(status?.conditions),
  ],
  validateStatus: ({ status }) => conditionFaults(status?.conditions),
  columns: [
    nameColumn,
    column(
      'Type',
      '`type` indicates whether this priority level is subject to limitation on request execution.  A value of `"Exempt"` means that requests of this priority level are not subject to a limit (and thus are never queued) and do not detract from the capacity made available to other priority levels.  A value of `"Limited"` means that (a) requests of this priority level _are_ subject to limits and (b) some of the server\'s limited capacity is made available exclusively to this priority level. Required.',
      ({ spec }) => spec?.type ?? '',
    ),
    column(
      'NominalConcurrencyShares',
      '`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server\'s concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values:\n\nNominalCL(i)  = ceil( ServerCL * NCS(i) / sum_ncs ) sum_ncs = sum[priority level k] NCS(k)\n\nBigger numbers mean a larger nominal concurrency limit, at the expense of every other priority level.\n\nIf not specified, this field defaults to a value of 30.\n\nSetting this field to zero supports the construction of a "jail" for this priority level that is used to hold some request(s)',
      ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? '<none>',
    ),
    column(
      'Queues',
      '`queues` is the number of queues for this priority level. The queues exist independently at each apiserver. The value must be positive.  Setting it to 1 effectively precludes shufflesharding and thus makes the distinguisher method of associated flow schemas irrelevant.  This field has a default value of 64.',
      ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? '<none>',
    ),
    column(
      'HandSize',
      "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.  When enqueuing a request at this priority level the request's flow identifier (a string pair) is hashed and the hash value is used to shuffle the list of queues and deal a hand of the size specified here.  The request is put into one of the shortest queues in that hand. `handSize` must be no larger than `queues`, and should be significantly smaller (so that a few heavy flows do not saturate most of the queues).  See the user-facing documentation for more extensive guidance on setting this field.  This field has a default value of 8.",
      ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? '<none>',
    ),
    column(
      'QueueLengthLimit',
      '`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time; excess requests are rejected.  This value must be positive.  If not specified, it will be defaulted to 50.',
      ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? '<none>',
    ),
    ageColumn,
  ],
})

function specFaults(name: string, spec: Spec): Fault[] {
  const { type, exempt, limited } = spec
  const faults: Fault[] = []
  if ((name === 'exempt') !== (type === 'Exempt')) {
    faults.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
  }
  if (type === 'Exempt') {
    if (limited) faults.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'))
    if (exempt) faults.push(...shareFaults('spec.exempt', exempt), ...lendingFaults('spec.exempt', exempt))
  } else if (type === 'Limited') {
    if (exempt) faults.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'))
    if (limited) faults.push(...limitedFaults('spec.limited', limited))
    else faults.push(required('spec.limited', 'must not be empty when type is Limited'))
  } else faults.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  return [...faults, ...fixedFaults(name, spec)]
}

/** Two levels are as they are, but for what the one that knows no limits lends. */
function fixedFaults(name: string, spec: Spec): Fault[] {
  const fixed = mandatoryPriorityLevels().find(({ metadata }) => metadata.name === name)?.spec
  if (!fixed) return []
  if (name !== 'exempt') {
    const text = `spec of '${name}' must equal the fixed value`
    return same(spec, fixed) ? [] : [invalidValue('spec', spec, text)]
  }
  const { exempt: _shares, ...rest } = spec
  const { exempt: _fixedShares, ...fixedRest } = fixed
  const text = `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`
  return same(rest, fixedRest) ? [] : [invalidValue('spec', spec, text)]
}

function shareFaults(path: string, { nominalConcurrencyShares: shares = 0 }: Exempt): Fault[] {
  const at = `${path}.nominalConcurrencyShares`
  return shares < 0 ? [invalidValue(at, shares, 'must be a non-negative integer')] : []
}

function lendingFaults(path: string, { lendablePercent: percent = 0 }: Exempt): Fault[] {
  const isPossible = percent >= 0 && percent <= 100
  return isPossible ? [] : [invalidValue(`${path}.lendablePercent`, percent, between(0, 100))]
}

function limitedFaults(path: string, limited: LimitedPriorityLevelConfiguration): Fault[] {
  const { borrowingLimitPercent: borrowing = 0, limitResponse = { type: '' } } = limited
  const faults = [
    ...shareFaults(path, limited),
    ...responseFaults(`${path}.limitResponse`, limitResponse),
    ...lendingFaults(path, limited),
  ]
  if (borrowing < 0) {
    const text = 'if specified, must be a non-negative integer'
    faults.push(invalidValue(`${path}.borrowingLimitPercent`, borrowing, text))
  }
  return faults
}

function responseFaults(path: string, { type, queuing }: LimitResponse): Fault[] {
  const at = `${path}.queuing`
  if (type === 'Reject') {
    return queuing ? [forbiddenField(at, 'must be nil if limited.limitResponse.type is not Limited')] : []
  }
  if (type !== 'Queue') return [notSupported(`${path}.type`, type, ['Queue', 'Reject'])]
  return queuing
    ? queuingFaults(at, queuing)
    : [required(at, 'must not be empty if limited.limitResponse.type is Limited')]
}

function queuingFaults(path: string, queuing: QueuingConfiguration): Fault[] {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing
  const faults: Fault[] = []
  const wrong = (field: keyof QueuingConfiguration, text: string): void => {
    faults.push(invalidValue(`${path}.${field}`, queuing[field] ?? 0, text))
  }
  if (queueLengthLimit <= 0) wrong('queueLengthLimit', 'must be positive')
  if (queues <= 0) wrong('queues', 'must be positive')
  else if (queues > mostQueues) wrong('queues', `must not be greater than ${mostQueues}`)
  if (handSize <= 0) wrong('handSize', 'must be positive')
  else if (handSize > queues) wrong('handSize', `should not be greater than queues (${queues})`)
  else if (entropyBits(queues, handSize) > hashBits) {
    wrong(
      'handSize',
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`,
    )
  }
  return faults
}

/** Bits of a hash that it takes, at most, to deal `handSize` of `queues` cards. */
function entropyBits(queues: number, handSize: number): number {
  return Math.ceil(Math.log2(queues) * handSize)
}
