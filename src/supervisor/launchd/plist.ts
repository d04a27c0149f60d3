/** Property lists as launchd reads them: XML text out of plain values, by one small escaper. */
import { AgentzError } from '../../base/errors.js'

export type PlistValue = string | number | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue }

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`

/** XML 1.0, production 2: what cannot stand in a document at all, not even escaped. */
const unspeakable =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

/** The whole document. @throws BAD_INPUT for text that XML has no way to say */
export const plistText = (value: PlistValue): string => `${HEAD}${element(value, '')}</plist>\n`

function element(value: PlistValue, indent: string): string {
  if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>\n`
  if (typeof value === 'boolean') return `${indent}<${value}/>\n`
  if (typeof value === 'number') return `${indent}<integer>${integer(value)}</integer>\n`
  if (Array.isArray(value)) {
    return `${indent}<array>\n${value.map((item) => element(item, `${indent}\t`)).join('')}${indent}</array>\n`
  }
  const entries = Object.entries(value).map(
    ([key, item]) => `${indent}\t<key>${escaped(key)}</key>\n${element(item, `${indent}\t`)}`,
  )
  return `${indent}<dict>\n${entries.join('')}${indent}</dict>\n`
}

function escaped(text: string): string {
  if (unspeakable.test(text)) {
    throw new AgentzError('BAD_INPUT', `${JSON.stringify(text)} cannot be said in a property list`, {
      hint: 'launchd reads its jobs from XML, which has no control characters: choose another path.',
    })
  }
  // A bare carriage return would be read as a line feed.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;')
}

function integer(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer`)
  return value
}
