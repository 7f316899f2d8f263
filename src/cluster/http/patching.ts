import type { KubeObject } from '../../kube/index.ts'
import type { Change, ResourceDefinition, ResourceRequest } from '../registry/index.ts'
import { applyPatch, type ParsedPatch } from '../registry/patch/index.ts'
import type { WriteQuery } from './options.ts'

/** A patch as a change of whatever state the object is in when it is its turn. */
export function patchChange(
  patch: ParsedPatch,
  resource: ResourceDefinition,
  request: ResourceRequest,
  options: { readonly write: WriteQuery; readonly now: number },
): Change & { create(): KubeObject } {
  const apply = (current: KubeObject | undefined): KubeObject => {
    const { object, warnings } = applyPatch(patch, current, {
      resource,
      manager: options.write.fieldManager,
      ...(request.subresource && { subresource: request.subresource }),
      validation: options.write.fieldValidation,
      force: options.write.force,
      now: options.now,
    })
    for (const warning of warnings) request.warn(warning)
    return object
  }
  return { next: apply, create: () => apply(undefined), managesFields: patch.is === 'apply' }
}
