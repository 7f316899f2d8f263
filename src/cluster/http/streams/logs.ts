import { badRequest, invalid } from '../../../kube/index.ts'
import { type Fault, forbiddenField, invalidValue } from '../../registry/index.ts'
import type { LogOptions, PodStreams } from '../../runtime/index.ts'
import type { ApiResponse } from '../message.ts'
import { isTrue } from '../target.ts'
import { chooseContainer, type StreamPod } from './pod.ts'

/**
 * Answers `GET .../pods/NAME/log`.
 *
 * @throws {StatusError} `BadRequest`, `Invalid`, or what the pod's node says.
 */
export async function logAnswer(
  streams: PodStreams,
  pod: StreamPod,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<ApiResponse> {
  const options = readLogOptions(query)
  const container = chooseContainer(pod, query.get('container') ?? undefined)
  // Nothing can have been written yet.
  if (pod.nodeName === '') return { status: 204, headers: {}, body: '' }
  const body = await streams.logs(pod.ref, { ...options, container, signal })
  return { status: 200, headers: { 'content-type': 'text/plain' }, body }
}

function readLogOptions(query: URLSearchParams): Omit<LogOptions, 'container' | 'signal'> {
  const faults: Fault[] = []
  const tailLines = count(query, 'tailLines', 0, faults)
  const limitBytes = count(query, 'limitBytes', 1, faults)
  const sinceSeconds = count(query, 'sinceSeconds', 1, faults)
  const sinceTime = query.get('sinceTime')
  if (sinceTime && query.has('sinceSeconds'))
    faults.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  if (faults.length > 0) throw invalid({ kind: 'PodLogOptions' }, faults)
  const since = sinceOf(sinceTime, sinceSeconds)
  return {
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(since && { since }),
  }
}

function sinceOf(time: string | null, seconds: number | undefined): Date | undefined {
  if (seconds !== undefined) return new Date(Date.now() - seconds * 1000)
  if (!time) return undefined
  const parsed = new Date(time)
  if (Number.isNaN(parsed.getTime())) throw badRequest(`parsing time ${JSON.stringify(time)}: not RFC 3339`)
  return parsed
}

function count(query: URLSearchParams, name: string, least: number, faults: Fault[]): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  if (value < least)
    faults.push(
      invalidValue(
        name,
        value,
        least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0',
      ),
    )
  return value
}
