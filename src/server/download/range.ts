/** Range, as far as one piece of a file goes (RFC 9110, 14): whoever asks for several gets all of it, as the standard allows. */

export interface Piece {
  readonly from: number
  /** Behind its last byte. */
  readonly to: number
}

/** @returns undefined for all of it, `none` if no byte of the piece is there */
export function pieceOf(range: string | undefined, size: number): Piece | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(range?.trim() ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '')
    return Number(last) === 0 || size === 0 ? 'none' : { from: Math.max(0, size - Number(last)), to: size }
  // That is no range.
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= size) return 'none'
  return { from: Number(first), to: last === '' ? size : Math.min(size, Number(last) + 1) }
}
