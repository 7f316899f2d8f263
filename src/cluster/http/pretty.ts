import { exactJsonText, parseExactJson } from '../../kube/index.ts'
import { type ApiRequest, type ApiResponse, headerOf } from './message.ts'

/** JSON for people, who ask for it or use a tool of theirs: with line breaks. */
export function pretty(answer: ApiResponse, request: ApiRequest, query: URLSearchParams): ApiResponse {
  const { body } = answer
  if (typeof body !== 'string' || answer.headers['content-type'] !== 'application/json') return answer
  if (!isForPeople(request, query)) return answer
  return { ...answer, body: `${exactJsonText(parseExactJson(body), 2)}\n` }
}

/** What Go's `strconv.ParseBool` takes for true. */
const yes = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

function isForPeople(request: ApiRequest, query: URLSearchParams): boolean {
  const asked = query.get('pretty')
  if (asked) return yes.has(asked)
  return /^(curl|Wget|Mozilla\/5\.0)/.test(headerOf(request, 'user-agent') ?? '')
}
