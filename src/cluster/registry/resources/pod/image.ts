/** `Always` for an image whose tag moves, `IfNotPresent` for one that stays what it is. */
export function pullPolicyOf(image: string): string {
  return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** The tag of an image, `latest` when it has neither tag nor digest; undefined for a digest or no valid name. */
function tagOf(image: string): string | undefined {
  const [named = '', digest] = image.split('@')
  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  const repository = colon < 0 ? named : named.slice(0, colon)
  const [first = '', ...rest] = repository.split('/')
  // The part before the first slash is a host when it looks like one; only hosts may have capitals.
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first))
  const path = hasHost ? rest.join('/') : repository
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)) {
    return undefined
  }
  if (tag !== undefined) return tag
  return digest === undefined ? 'latest' : undefined
}
