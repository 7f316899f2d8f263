import { Document, isMap, type Node, visit } from 'yaml'

/** An organisation on its way into a file, from wherever it comes. */
export interface OrgDraft {
  readonly organisation: string
  readonly users: Map<string, DraftUser>
  readonly groups: Map<string, DraftGroup>
  readonly roles: Map<string, readonly object[]>
  readonly volumes: Map<string, DraftVolume>
  /** What a person should look at. */
  readonly notes: string[]
}

export interface DraftUser {
  uid?: number
  name?: string
  email?: string
  home?: string
}

export interface DraftGroup {
  gid?: number
  quota: Record<string, string | number>
  members: Record<string, unknown>
}

export interface DraftVolume {
  size: string
  access: Record<string, unknown>
  source: object
  gid?: number
  description?: string
  owner?: string
}

export function emptyDraft(organisation: string): OrgDraft {
  return {
    organisation,
    users: new Map(),
    groups: new Map(),
    roles: new Map(),
    volumes: new Map(),
    notes: [],
  }
}

/** Finds the ids that people and groups have elsewhere, such as on this machine. */
export interface KnownIds {
  uid(user: string): number | undefined
  gid(group: string): number | undefined
}

/** Gives an id to everybody who has none: the one known elsewhere, or the next free one. */
export function fillIds(draft: OrgDraft, known: KnownIds): void {
  const uids = new Set([...draft.users.values()].flatMap((user) => user.uid ?? []))
  const gids = new Set([...draft.groups.values()].flatMap((group) => group.gid ?? []))
  const next = (taken: Set<number>, first: number): number => {
    let id = first
    while (taken.has(id)) id += 1
    taken.add(id)
    return id
  }
  for (const [name, user] of draft.users) {
    if (user.uid !== undefined) continue
    const elsewhere = known.uid(name)
    user.uid = elsewhere !== undefined && !uids.has(elsewhere) ? elsewhere : next(uids, 20001)
    uids.add(user.uid)
  }
  for (const [name, group] of draft.groups) {
    if (group.gid !== undefined) continue
    const elsewhere = known.gid(name)
    group.gid = elsewhere !== undefined && !gids.has(elsewhere) ? elsewhere : next(gids, 10001)
    gids.add(group.gid)
  }
}

/** The draft as the text of an organisation file: one entry on each line. */
export function draftText(draft: OrgDraft): string {
  const section = (entries: ReadonlyMap<string, object>): object | undefined =>
    entries.size === 0
      ? undefined
      : Object.fromEntries([...entries].map(([name, entry]) => [name, tidy(entry)]))
  const document = new Document({
    organisation: draft.organisation,
    users: section(draft.users),
    groups: section(draft.groups),
    roles: draft.roles.size === 0 ? undefined : Object.fromEntries(draft.roles),
    volumes: section(draft.volumes),
  })
  visit(document, {
    Map(_, node, ancestors) {
      // Below the sections: users, groups and volumes fit on a line.
      if (ancestors.filter((each) => isMap(each as Node)).length === 2) node.flow = true
    },
  })
  const notes = draft.notes.map((note) => `# ${note}\n`).join('')
  return (
    notes + document.toString({ lineWidth: 0 }).replaceAll(/^(?=(?:users|groups|roles|volumes):)/gm, '\n')
  )
}

function tidy(entry: object): object {
  const { uid, gid, ...rest } = { uid: undefined, gid: undefined, ...entry }
  return Object.fromEntries(
    // Ids first, as people write them.
    Object.entries({ uid, gid, ...rest }).filter(
      ([, value]) =>
        value !== undefined && !(typeof value === 'object' && Object.keys(value ?? {}).length === 0),
    ),
  )
}
