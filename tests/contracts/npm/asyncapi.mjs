// Reads an AsyncAPI document from standard input; prints what the official parser finds, one line each.
import { readFileSync } from 'node:fs'
import parserModule from '@asyncapi/parser'

const { Parser } = parserModule
const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'))
for (const one of diagnostics) console.log(`${one.severity} ${one.code} ${one.path.join('.')}: ${one.message}`)
if (!document) process.exitCode = 1
