/** A unified diff in colours. Its characters stay what they are: what a hunk says of its own length is all that is believed. */
import { h } from './dom.js'

const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/

/** @param {string} text @returns {(Node | string)[]} the text, in parts */
export function coloured(text) {
  if (!/^@@ -/m.test(text)) return [text]
  /** @type {{kind: string, lines: string[]}[]} */
  const parts = []
  let [before, after] = [0, 0]
  for (const line of text.split('\n')) {
    const [head, old = '1', now = '1'] = hunk.exec(line) ?? []
    let kind = ''
    if (before + after > 0 && /^[-+ \\]|^$/.test(line)) {
      kind = line.startsWith('-') ? 'removed' : line.startsWith('+') ? 'added' : ''
      if (!line.startsWith('\\')) {
        if (kind !== 'added') before = Math.max(0, before - 1)
        if (kind !== 'removed') after = Math.max(0, after - 1)
      }
    } else if (head !== undefined) {
      kind = 'hunk'
      before = Number(old)
      after = Number(now)
    } else before = after = 0
    const last = parts.at(-1)
    if (last?.kind === kind) last.lines.push(line)
    else parts.push({ kind, lines: [line] })
  }
  return parts.map(({ kind, lines }, index) => {
    const piece = `${lines.join('\n')}${index < parts.length - 1 ? '\n' : ''}`
    return kind === '' ? piece : h('span', { class: kind }, piece)
  })
}
