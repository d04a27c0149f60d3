/** What each answer of the server says of itself. */

/**
 * No answer is kept, taken for another type than it is, or shown on a page of somebody else. None is a page that may do something: what
 * clients keep in streams comes back by the type that they gave it. Pages of ours have a policy of their own.
 */
export const onAll = {
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
}
