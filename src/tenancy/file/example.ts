/** What the first file of an organisation is made of. */
export interface ExampleOrg {
  readonly organisation: string
  readonly group: string
  readonly gid: number
  readonly gpus: number
  readonly user: string
  readonly uid: number
}

/** An organisation file to start from. */
export function exampleOrg(example: Partial<ExampleOrg> = {}): string {
  const {
    organisation = 'department1',
    group = 'dev1',
    gid = 10001,
    gpus = 1,
    user = 'bob',
    uid = 20001,
  } = example
  return `# Who belongs to which group, and what each group may use.
# Check it with "arena org check", see what it would change with "arena org plan", make it so with "arena org apply".
organisation: ${organisation}

users:
  ${user}: { uid: ${uid} } # also: name, email, sshKeys, home (group), shell

groups:
  ${group}:
    gid: ${gid}
    quota: { gpu: ${gpus} } # also: cpu, memory, storage, pods, jobs; what is left out is not limited
    members: { ${user}: member } # lead, member, viewer

# volumes:
#   ${group}-public:
#     size: 100Gi
#     access: { ${group}: write } # read or write, for each group
#     source: { nfs: { server: nas.example, path: /${group} } } # or csi, storageClass, hostPath, directory
`
}
