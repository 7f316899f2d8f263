import * as v from 'valibot'

/**
 * The form of an organisation file. What it cannot say (names that must be defined elsewhere, ids taken once, ...) is
 * checked by `checks/`. The published JSON Schema is generated from it.
 */

const text = v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty'))
const id = v.pipe(
  v.number(),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(2_147_483_647, 'must be at most 2147483647'),
)
const date = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2027-03-31'),
  v.description('Last day on which this holds, in UTC.'),
)
const absolutePath = v.pipe(v.string(), v.startsWith('/', 'must be an absolute path'))
const quantity = v.union([v.string(), v.number()])

const user = v.strictObject({
  uid: v.pipe(id, v.description('Linux user id; jobs run under it.')),
  name: v.optional(v.pipe(text, v.description('Full name of the person.'))),
  email: v.optional(text),
  sshKeys: v.optional(v.pipe(v.array(text), v.description('Public keys, as in authorized_keys.'))),
  home: v.optional(
    v.pipe(text, v.description('Group in whose namespace the account lives. Default: the first group.')),
  ),
  shell: v.optional(v.pipe(absolutePath, v.description('Login shell on the client host.'))),
  passwordHash: v.optional(
    v.pipe(text, v.description('Hash as made by mkpasswd or openssl passwd -6. Never a password.')),
  ),
})

const roleName = v.pipe(text, v.description('lead, member, viewer, or a role defined under roles.'))
const membershipEntry = v.strictObject({ role: roleName, until: v.optional(date) })
const membership = v.union([roleName, membershipEntry, v.array(v.union([roleName, membershipEntry]))])

const group = v.strictObject({
  gid: v.pipe(id, v.description('Linux group id; jobs run under it.')),
  quota: v.nullish(
    v.pipe(
      v.record(v.string(), quantity),
      v.description(
        'Limits: gpu, cpu, memory, storage, pods, jobs, or any Kubernetes quota key. Left out: not limited.',
      ),
    ),
  ),
  members: v.nullish(
    v.pipe(v.record(v.string(), membership), v.description('Role of each user in this group.')),
  ),
  visibility: v.optional(v.picklist(['group', 'own'])),
})

const accessWord = v.picklist(['read', 'write'])
const grant = v.union([accessWord, v.strictObject({ access: accessWord, until: v.optional(date) })])

const source = v.pipe(
  v.strictObject({
    nfs: v.optional(v.strictObject({ server: text, path: absolutePath })),
    csi: v.optional(
      v.strictObject({
        driver: text,
        volumeHandle: text,
        fsType: v.optional(text),
        volumeAttributes: v.optional(v.record(v.string(), v.string())),
      }),
    ),
    storageClass: v.optional(text),
    hostPath: v.optional(absolutePath),
    directory: v.optional(absolutePath),
  }),
  v.description('Exactly one of nfs, csi, storageClass, hostPath, directory.'),
)

const volume = v.strictObject({
  size: v.pipe(quantity, v.description('Capacity, such as 100Gi.')),
  access: v.pipe(
    v.record(v.string(), grant),
    v.description('read or write, for each group that uses the volume.'),
  ),
  source,
  gid: v.optional(
    v.pipe(
      id,
      v.description('Linux group that owns the data of a shared volume. Default: made from its name.'),
    ),
  ),
  description: v.optional(text),
  owner: v.optional(text),
})

const names = v.array(v.string())
const rule = v.strictObject({
  apiGroups: v.optional(names),
  resources: v.optional(names),
  resourceNames: v.optional(names),
  nonResourceURLs: v.optional(names),
  verbs: names,
})
const rules = v.array(rule)

export const orgFileSchema = v.pipe(
  v.strictObject({
    organisation: v.pipe(text, v.description('Name of the organisation.')),
    users: v.nullish(v.record(v.string(), user)),
    groups: v.nullish(v.record(v.string(), group)),
    roles: v.nullish(
      v.pipe(
        v.record(v.string(), v.union([rules, v.strictObject({ rules })])),
        v.description('Roles of your own, as Kubernetes RBAC rules.'),
      ),
    ),
    volumes: v.nullish(v.record(v.string(), volume)),
  }),
  v.title('Arena organisation file'),
)

/** An organisation file as it is written, with the right form. */
export type OrgFile = v.InferOutput<typeof orgFileSchema>
export type GroupEntry = NonNullable<OrgFile['groups']>[string]
export type VolumeEntry = NonNullable<OrgFile['volumes']>[string]
export type RoleEntry = NonNullable<OrgFile['roles']>[string]
