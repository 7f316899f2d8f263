import { describe, expect, it } from 'vitest'
import {
  ordinaryAddress,
  selectorMatches,
  validateLabelSelector,
} from '../../../../src/cluster/registry/validation/checks.ts'
import { scheduleFault, timeZoneFault } from '../../../../src/cluster/registry/validation/cron.ts'
import { same } from '../../../../src/cluster/registry/validation/equality.ts'
import {
  cIdentifierName,
  configMapKey,
  portName,
  qualifiedName,
} from '../../../../src/cluster/registry/validation/names.ts'
import {
  isExtendedResource,
  validateRequirements,
} from '../../../../src/cluster/registry/validation/quantities.ts'
import { jsonDiff } from '../../../../src/cluster/registry/validation/text-diff.ts'

describe('keys', () => {
  it.each([
    ['', ['name part must be non-empty']],
    ['/a', ['prefix part must be non-empty']],
    ['a.io/b', []],
    ['example.com/My_Name-1', []],
  ])('%j has the faults of its parts', (key, texts) => {
    const found = qualifiedName(key)
    for (const text of texts) expect(found).toContain(text)
    if (texts.length === 0) expect(found).toEqual([])
  })

  it('explains a key of too many parts as a whole', () => {
    expect(qualifiedName('a/b/c')).toHaveLength(1)
    expect(qualifiedName('a/b/c')[0]).toMatch(/^a valid label key must consist of/)
  })

  it.each([
    ['.', "must not be '.'"],
    ['..', "must not be '..'"],
    ['..a', "must not start with '..'"],
  ])('of a config map may not be %s', (key, text) => {
    expect(configMapKey(key)).toEqual([text])
  })

  it.each([
    ['http', []],
    ['80', ['must contain at least one letter (a-z)']],
    ['a--b', ['must not contain consecutive hyphens']],
    ['-a', ['must not begin or end with a hyphen']],
    ['a-name-too-long-', ['must be no more than 15 characters', 'must not begin or end with a hyphen']],
  ])('of a port: %s', (name, texts) => {
    expect(portName(name)).toEqual(texts)
  })

  it('of C are words', () => {
    expect(cIdentifierName('MY_NAME')).toEqual([])
    expect(cIdentifierName('1NAME')).toHaveLength(1)
  })
})

describe('label selectors', () => {
  it('are held to what their operators need', () => {
    const selector = {
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['x'] },
        { key: 'c', operator: 'Like' },
      ],
    }
    const faults = validateLabelSelector('s', selector).map(({ field, message }) => `${field}: ${message}`)
    expect(faults).toEqual([
      "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "s.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      's.matchExpressions[2].operator: Invalid value: "Like": not a valid selector operator',
    ])
  })

  it('select nothing when they are not there, and everything when they are empty', () => {
    expect(selectorMatches(undefined, { a: 'b' })).toBe(false)
    expect(selectorMatches({}, undefined)).toBe(true)
    expect(selectorMatches({ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }, {})).toBe(
      true,
    )
  })
})

describe('requests and limits', () => {
  const faults = (requirements: Parameters<typeof validateRequirements>[1]): string[] =>
    validateRequirements('r', requirements).map(({ field, message }) => `${field}: ${message}`)

  it('know resources of vendors by their domain', () => {
    expect(isExtendedResource('nvidia.com/gpu')).toBe(true)
    expect(isExtendedResource('cpu')).toBe(false)
    expect(isExtendedResource('kubernetes.io/x')).toBe(false)
    expect(isExtendedResource('requests.nvidia.com/gpu')).toBe(false)
  })

  it('differ for cpu and memory, and not for the rest', () => {
    expect(faults({ requests: { cpu: '1' }, limits: { cpu: '2' } })).toEqual([])
    expect(faults({ requests: { 'nvidia.com/gpu': '1' }, limits: { 'nvidia.com/gpu': '2' } })).toEqual([
      'r.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
    ])
  })

  it('name resources of containers only', () => {
    expect(faults({ limits: { pods: '1' } })).toEqual([
      'r.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
    ])
  })

  it('do not take huge pages without anything to run on them', () => {
    const pages = { 'hugepages-2Mi': '4Mi' }
    expect(faults({ requests: pages, limits: pages })).toEqual([
      'r: Forbidden: HugePages require cpu or memory',
    ])
  })
})

describe('addresses', () => {
  it.each([
    ['10.1.2.3', []],
    ['0.0.0.0', ['may not be unspecified (0.0.0.0)']],
    ['127.0.0.1', ['may not be in the loopback range (127.0.0.0/8, ::1/128)']],
    ['127.128.0.1', ['may not be in the loopback range (127.0.0.0/8, ::1/128)']],
    ['169.254.0.1', ['may not be in the link-local range (169.254.0.0/16, fe80::/10)']],
  ])('of endpoints: %s', (address, texts) => {
    const messages = ordinaryAddress('ip', address).map(({ message }) => message)
    expect(messages).toEqual(texts.map((text) => `Invalid value: ${JSON.stringify(address)}: ${text}`))
  })

  it('of the pods of this cluster are loopback addresses', () => {
    for (const address of ['127.64.0.1', '127.99.1.1', '127.127.255.254']) {
      expect(ordinaryAddress('ip', address)).toEqual([])
    }
  })
})

describe('schedules', () => {
  it.each([
    ['*/5 0-6 1,15 * mon-fri', undefined],
    ['@daily', undefined],
    ['@every 1h30m', undefined],
    ['* * * * *', undefined],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['@monthlyy', 'unrecognized descriptor: @monthlyy'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ])('%s', (schedule, fault) => {
    expect(scheduleFault(schedule)).toBe(fault)
  })

  it.each([
    ['Europe/Berlin', undefined],
    ['Etc/UTC', undefined],
    ['local', 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
    ['../etc/passwd', 'unknown time zone ../etc/passwd'],
    ['Nowhere', 'unknown time zone Nowhere'],
  ])('in %s', (zone, fault) => {
    expect(timeZoneFault(zone)).toBe(fault)
  })
})

describe('comparing', () => {
  it('makes no difference between what is absent, null and empty', () => {
    expect(same({ a: [] }, {})).toBe(true)
    expect(same({ a: null }, { a: undefined })).toBe(true)
    expect(same({ a: { b: 1 } }, { a: { b: 2 } })).toBe(false)
    expect(same([1, 2], [2, 1])).toBe(false)
  })

  it('shows what changed with its surroundings', () => {
    const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 }
    expect(jsonDiff(before, { ...before, e: 50 })).toBe(
      `@@ -3,7 +3,7 @@
  "b": 2,
  "c": 3,
  "d": 4,
- "e": 5,
+ "e": 50,
  "f": 6,
  "g": 7,
  "h": 8
`,
    )
    expect(jsonDiff(before, before)).toBe('')
  })
})
