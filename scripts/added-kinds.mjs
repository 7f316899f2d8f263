/** The fields of a kind that the package does not have, and of its list. */
export const kindAndList = (kind, apiVersion, description, fields) => ({
  [kind]: {
    '': description,
    'apiVersion?': [`"${apiVersion}"`, 'Group and version of the object.'],
    'kind?': [`"${kind}"`, 'Kind of the object.'],
    'metadata?': ['ObjectMeta', 'Name, labels, annotations and what the server keeps of the object.'],
    ...fields,
  },
  [`${kind}List`]: {
    '': `A list of ${kind} objects.`,
    'apiVersion?': [`"${apiVersion}"`, 'Group and version of the list.'],
    items: [`Array<${kind}>`, 'The objects.'],
    'kind?': [`"${kind}List"`, 'Kind of the list.'],
    'metadata?': ['ListMeta', 'Resource version of the list, and where it goes on.'],
  },
})
