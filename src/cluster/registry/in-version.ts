import { exactJsonText, type KubeObject } from '../../kube/index.ts'
import type { ResourceDefinition } from './resource.ts'
import type { Encoded } from './stored-object.ts'

/**
 * Stored objects in the version of a definition, for the kinds whose versions somebody else converts; of all other kinds
 * they are what they are.
 *
 * @throws {StatusError} when they cannot be converted.
 */
export async function allInVersion<T extends Encoded>(
  { conversion }: Pick<ResourceDefinition, 'conversion'>,
  stored: readonly T[],
): Promise<readonly (T | Encoded)[]> {
  if (!conversion || stored.length === 0) return stored
  const values = await conversion.fromStored(stored.map(({ value }) => value))
  return values.map((value) => ({ value, json: exactJsonText(value) }))
}

/** {@link allInVersion} for one. */
export async function inVersion(
  definition: Pick<ResourceDefinition, 'conversion'>,
  stored: Encoded,
): Promise<Encoded> {
  if (!definition.conversion) return stored
  const [shown] = await allInVersion(definition, [stored])
  return shown ?? stored
}

/** The value alone, not to be changed. */
export async function valueInVersion(
  { conversion }: Pick<ResourceDefinition, 'conversion'>,
  value: KubeObject,
): Promise<KubeObject> {
  const [shown] = (await conversion?.fromStored([value])) ?? [value]
  return shown ?? value
}
