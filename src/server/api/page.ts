/** The document of the API as a page, made whole here: it needs no script, and no request but the one for its style. */

import { curlOf } from './curl.js'
import type { Document, Json, Operation } from './document.js'
import { escapeHtml as text } from './escape.js'

export function pageOf(document: Document): string {
  const { info, tags, paths, components } = document
  const all = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const sections = tags.map(({ name, description }) => {
    const own = all.filter(({ operation }) => operation.tags.includes(name))
    return `<section aria-labelledby="${name}"><h2 id="${name}">${name}</h2><p>${prose(description)}</p>
${own.map(({ path, method, operation }) => operationOf(document, path, method, operation)).join('\n')}</section>`
  })
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${text(name)}"><summary><code>${text(name)}</code></summary><div class="table">${fieldsOf(schema)}</div></details>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text(info.title)} API</title>
<link rel="icon" href="/viewer/icon.svg">
<link rel="stylesheet" href="/viewer/docs.css">
</head>
<body>
<main>
<h1>${text(info.title)} API <small>${text(info.version)}</small></h1>
<p>${prose(info.description)}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a>, OpenAPI ${text(document.openapi)}. In the lines below, <code>$S</code> is the socket that <code>agentz serve</code> prints.</p>
<nav aria-label="Parts">${tags.map(({ name }) => `<a href="#${name}">${name}</a>`).join(' ')} <a href="#schemas">schemas</a></nav>
${sections.join('\n')}
<section aria-labelledby="schemas"><h2 id="schemas">schemas</h2>
${schemas.join('\n')}</section>
</main>
</body>
</html>
`
}

function operationOf(document: Document, path: string, method: string, operation: Operation): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation
  const body = Object.entries(requestBody?.content ?? {}).map(([type, media]) => {
    const { schema } = media as { schema?: Json }
    const how = requestBody?.required ? '' : ', may be left out'
    return `<h3>body <small>${text(type)}${how}</small></h3>${schema === undefined ? '' : `<div class="table">${fieldsOf(resolved(document, schema))}</div>`}`
  })
  const given = parameters.map(
    ({ name, in: place, required, schema, description: meaning = '' }) =>
      `<tr><th scope="row"><code>${text(name)}</code></th><td>${place}, ${typeOf(schema)}${required ? '' : ', optional'}</td><td>${prose(meaning)}</td></tr>`,
  )
  const answers = Object.entries(responses).map(([status, { description: meaning, content = {} }]) => {
    const types = Object.entries(content).map(([type, media]) => {
      const { schema } = media as { schema?: Json }
      return schema === undefined ? `<code>${text(type)}</code>` : typeOf(schema)
    })
    return `<tr><th scope="row">${status}</th><td>${types.join('<br>')}</td><td>${prose(meaning)}</td></tr>`
  })
  return `<details id="${text(operationId)}"><summary><b class="${method}">${method}</b> <code>${text(path).replaceAll('/', '/<wbr>')}</code> <span>${text(summary)}</span></summary>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
<pre><code>${text(curlOf(document, path, method, operation))}</code></pre>
${given.length === 0 ? '' : `<h3>parameters</h3><div class="table"><table>${given.join('')}</table></div>`}
${body.join('')}
<h3>answers</h3><div class="table"><table>${answers.join('')}</table></div></details>`
}

function resolved({ components }: Document, schema: Json): Json {
  const name = String(schema.$ref ?? '')
    .split('/')
    .at(-1)
  return components.schemas[name ?? ''] ?? schema
}

function fieldsOf(schema: Json, depth = 0): string {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, Json>; required?: string[] }
  const rows = Object.entries(properties).map(([name, property]) => {
    const inner = (property.items as Json | undefined) ?? property
    const nested = inner.properties === undefined || depth > 3 ? '' : fieldsOf(inner, depth + 1)
    return `<tr><th scope="row"><code>${text(name)}</code></th><td>${typeOf(property)}${required.includes(name) ? '' : ', optional'}</td><td>${prose(String(property.description ?? ''))}${nested}</td></tr>`
  })
  return rows.length === 0 ? `<p>${typeOf(schema)}</p>` : `<table>${rows.join('')}</table>`
}

function typeOf(schema: Json): string {
  const { $ref, anyOf, type, const: only, items, pattern } = schema
  const choices = schema.enum
  if (typeof $ref === 'string') {
    const name = text($ref.split('/').at(-1) ?? '')
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (only !== undefined) return `<code>${text(JSON.stringify(only))}</code>`
  if (Array.isArray(choices)) return choices.map((each) => `<code>${text(String(each))}</code>`).join(' ')
  if (Array.isArray(anyOf)) return anyOf.map((each) => typeOf(each as Json)).join(' or ')
  if (type === 'array') return `array of ${typeOf((items as Json | undefined) ?? {})}`
  const like = typeof pattern === 'string' ? ` like <code>${text(pattern)}</code>` : ''
  return `${text(String(type ?? 'anything'))}${like}`
}

/** Words between backquotes are code. */
const prose = (words: string): string => text(words).replace(/`([^`]*)`/g, '<code>$1</code>')
