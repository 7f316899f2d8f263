import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { UserError } from '../errors.ts'
import { parseQuantity } from '../kube/index.ts'

const quantity = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.check((text) => isQuantity(text), 'is no quantity: write 4, 500m or 30Gi'),
)

const nodeSchema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is no node name: lower case letters, digits, "-" and "."'),
  ),
  role: v.optional(v.picklist(['worker', 'control-plane']), 'worker'),
  capacity: v.optional(v.record(v.string(), quantity), {}),
  labels: v.optional(v.record(v.string(), v.string()), {}),
  runtime: v.optional(v.picklist(['process', 'simulated'])),
})

const configSchema = v.strictObject({
  runtime: v.optional(v.picklist(['process', 'simulated']), 'process'),
  /** May a container that asks for uid 0 run as root of this machine? */
  allowRoot: v.optional(v.boolean(), false),
  nodes: v.optional(v.array(nodeSchema)),
  /** What goes into `audit.log`: on with a usual policy unless told otherwise. */
  audit: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean(), true),
      policyFile: v.optional(v.string()),
      maxMegabytes: v.optional(v.pipe(v.number(), v.minValue(1)), 100),
      maxFiles: v.optional(v.pipe(v.number(), v.minValue(1)), 10),
    }),
    {},
  ),
  /** An AuthenticationConfiguration of Kubernetes: who else than this cluster makes tokens. */
  authentication: v.optional(v.strictObject({ configFile: v.optional(v.string()) }), {}),
  /** NFS exports served from directories of this machine: `server:/path` to directory. */
  nfsDirectories: v.optional(v.record(v.string(), v.string()), {}),
})

/** What a cluster file may say. */
export type ClusterConfig = v.InferOutput<typeof configSchema>
export type NodeConfig = v.InferOutput<typeof nodeSchema>

/** What holds when there is no file: this machine is the only node. */
export const usualConfig: ClusterConfig = v.parse(configSchema, {})

/**
 * Reads a cluster file (YAML).
 *
 * @throws {UserError} `FILE_UNREADABLE`, or `CONFIG_INVALID` naming every fault.
 */
export async function readClusterConfig(file: string): Promise<ClusterConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new UserError('FILE_UNREADABLE', `the cluster file "${file}" cannot be read`, {
      hint: 'check the path given with --config',
      cause,
    })
  }
  const { load } = await import('js-yaml')
  let value: unknown
  try {
    value = load(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UserError('CONFIG_INVALID', `the cluster file "${file}" is no YAML: ${why}`, {
      hint: 'see docs/cluster.md for an example',
      cause,
    })
  }
  const result = v.safeParse(configSchema, value ?? {})
  if (!result.success) {
    const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'file'}: ${issue.message}`)
    throw new UserError(
      'CONFIG_INVALID',
      `the cluster file "${file}" has faults:\n  ${faults.join('\n  ')}`,
      {
        hint: 'see docs/cluster.md for what it may say',
      },
    )
  }
  const names = (result.output.nodes ?? []).map(({ name }) => name)
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double !== undefined)
    throw new UserError('CONFIG_INVALID', `the cluster file "${file}" names the node "${double}" twice`, {
      hint: 'give every node a name of its own',
    })
  return result.output
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text)
    return true
  } catch {
    return false
  }
}
