import { randomUUID } from 'node:crypto'
import { microTimestamp } from '../../../kube/index.ts'
import type { UserInfo } from '../../registry/index.ts'
import { type ApiRequest, type ApiResponse, headerOf } from '../message.ts'
import type { Target } from '../target.ts'
import type { LogFile } from './log-file.ts'
import { type AuditDecision, type AuditPolicy, type AuditStage, decideAudit } from './policy.ts'

/** Bodies longer than this are left out: the log is for people. */
const maxBodyBytes = 512 * 1024
/** What admission says of a request may come from programs of others. */
const maxAnnotationLength = 10 * 1024

/** Writes down requests in Kubernetes' own format (`audit.k8s.io/v1 Event`). */
export interface Auditor {
  /** Undefined when the policy wants nothing of this request. */
  begin(api: ApiRequest, verb: string, target: Target): AuditRecord | undefined
}

/** One request on its way into the log. */
export interface AuditRecord {
  /** What the record is found by; the answer bears it too. */
  readonly id: string
  /** The request whose body is read through this record, if its level wants bodies. */
  readonly api: ApiRequest
  /** Whom the request goes on as, when not who sent it. */
  impersonated(user: UserInfo): void
  /** The request is answered; for a stream: begun. */
  answered(answer: ApiResponse): void
}

export function createAuditor(policy: AuditPolicy, log: LogFile): Auditor {
  return {
    begin(api, verb, target) {
      const decision = decideAudit(policy, api.user, verb, target)
      return decision.level === 'None' ? undefined : record(api, verb, target, decision, log)
    },
  }
}

function record(
  api: ApiRequest,
  verb: string,
  target: Target,
  decision: AuditDecision,
  log: LogFile,
): AuditRecord {
  const received = now()
  const auditID = randomUUID()
  let impersonatedUser: UserInfo | undefined
  let requestBody: string | undefined
  let annotations: Record<string, string> | undefined
  api.annotate = (key, value) => {
    // The first word on a matter stands, as in Kubernetes.
    annotations = { [key]: value.slice(0, maxAnnotationLength), ...annotations }
  }
  const write = (stage: AuditStage, answer?: ApiResponse): void => {
    if (decision.omitStages.has(stage)) return
    const at = now()
    const event = JSON.stringify({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID,
      stage,
      requestURI: api.url,
      verb,
      ...(impersonatedUser && { impersonatedUser: shown(impersonatedUser) }),
      ...(api.clientAddress && { sourceIPs: [api.clientAddress] }),
      userAgent: headerOf(api, 'user-agent') ?? '',
      ...(target.resource && { objectRef: objectRef(target, verb, answer) }),
      ...(answer && { responseStatus: statusOf(answer) }),
      ...(decision.level !== 'Metadata' && requestBody && { requestObject: body(requestBody, decision) }),
      ...(decision.level === 'RequestResponse' && answer && { responseObject: answerBody(answer, decision) }),
      ...(annotations && { annotations }),
      requestReceivedTimestamp: received,
      stageTimestamp: at,
    })
    log.append(`${event.slice(0, -1)},"user":${userText(api.user)}}`)
  }
  write('RequestReceived')
  return {
    id: auditID,
    api:
      decision.level === 'Metadata'
        ? api
        : {
            ...api,
            async readBody() {
              const text = await api.readBody()
              requestBody = text
              return text
            },
          },
    impersonated(user) {
      impersonatedUser = user
    },
    answered(answer) {
      const isStream = typeof answer.body !== 'string' && !Buffer.isBuffer(answer.body)
      if (isStream) write('ResponseStarted', answer)
      write('ResponseComplete', answer)
    },
  }
}

function now(): string {
  return microTimestamp(new Date())
}

const userTexts = new WeakMap<UserInfo, string>()

/** The same user asks again and again. */
function userText(user: UserInfo): string {
  let text = userTexts.get(user)
  if (text === undefined) {
    text = JSON.stringify(shown(user))
    userTexts.set(user, text)
  }
  return text
}

function shown(user: UserInfo): object {
  return {
    username: user.name,
    ...(user.uid && { uid: user.uid }),
    groups: user.groups,
    ...(user.extra && { extra: user.extra }),
  }
}

function objectRef({ resource }: Target, verb: string, answer?: ApiResponse): object {
  if (!resource) return {}
  const { plural, namespace, group, version, subresource } = resource
  // The path of a creation has no name: Kubernetes takes it from the object.
  const isMade = verb === 'create' && subresource === undefined && answer?.status === 201
  const name = resource.name ?? (isMade ? madeName(answer.body) : undefined)
  return {
    resource: plural,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(group && { apiGroup: group }),
    apiVersion: version,
    ...(subresource && { subresource }),
  }
}

/** The name of the object in an answer. Read without parsing all of it, which would be done for every creation. */
function madeName(body: ApiResponse['body']): string | undefined {
  if (typeof body !== 'string') return undefined
  const [, early] = /"metadata":\{"name":"([^"\\]*)"/.exec(body.slice(0, 500)) ?? []
  if (early !== undefined) return early
  const metadata = parsed(body)?.['metadata']
  const name: unknown = typeof metadata === 'object' && metadata !== null && Reflect.get(metadata, 'name')
  return typeof name === 'string' ? name : undefined
}

function statusOf(answer: ApiResponse): object {
  const failure = answer.status >= 400 ? parsed(answer.body) : undefined
  return {
    metadata: {},
    ...(failure && { status: failure['status'], reason: failure['reason'], message: failure['message'] }),
    code: answer.status,
  }
}

function answerBody(answer: ApiResponse, decision: AuditDecision): unknown {
  return typeof answer.body === 'string' ? body(answer.body, decision) : undefined
}

function body(text: string, decision: AuditDecision): unknown {
  if (text.length > maxBodyBytes) return undefined
  const object = parsed(text)
  if (object && decision.omitManagedFields) {
    const metadata = object['metadata']
    if (typeof metadata === 'object' && metadata !== null) Reflect.deleteProperty(metadata, 'managedFields')
  }
  return object
}

function parsed(text: ApiResponse['body']): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    // Not JSON: YAML or protobuf, which the log does not show.
    return undefined
  }
}
