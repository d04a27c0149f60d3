/** Conditional requests: whether what a client has is what it would get. */

/** @param wanted If-None-Match as it was sent */
export const isKnown = (wanted: string | undefined, tag: string): boolean =>
  (wanted ?? '').split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
