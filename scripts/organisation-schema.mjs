#!/usr/bin/env node
// Writes schema/organisation.schema.json from the schema in src/tenancy/file/schema.ts.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/tenancy/file/json-schema.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
})
const code = Buffer.from(outputFiles[0].contents).toString('base64')
const { organisationJsonSchema } = await import(`data:text/javascript;base64,${code}`)
await mkdir(`${root}schema`, { recursive: true })
await writeFile(
  `${root}schema/organisation.schema.json`,
  `${JSON.stringify(organisationJsonSchema(), undefined, 2)}\n`,
)
