/** What the server says, for people before a browser: it speaks of routes and fields, and here a page and its forms do the same. */

/** @type {readonly (readonly [RegExp, string])[]} */
const messages = [
  [/^(?:before|after): \d+ is not the end of a line of this log$/, 'this link leads to no event of the session'],
  [/^workingDir: /, 'the directory '],
  [/^(title|prompt|content|reason|permissionMode|agentType): /, 'the $1 '],
  [/\bpermissionMode\b/, 'permission mode'],
  [/\bagentType\b/, 'agent'],
  [/^the body of the request is larger/, 'this is larger'],
]

/** @type {readonly (readonly [RegExp, string])[]} */
const hints = [
  [/^Send the offset of an event .*/, 'The end of the session is shown instead.'],
  [/^A session id is .*/, 'The list shows all sessions.'],
  [/^`GET \/v1\/sessions` prints the sessions that exist\./, 'The list shows the sessions that exist.'],
  [/^Read the session again with .*; somebody was faster\./, 'Somebody was faster; the page shows what is so now.'],
  [/^`GET \/v1\/sessions\/\w+` lists what waits .*/, 'The page shows what waits for an answer.'],
  [/^`GET \/v1\/agents` lists them\./, 'The list of agents in the form shows those that there are.'],
  [/^Name an existing directory in .*/, 'Name a directory that exists.'],
  [/^Say it in `prompt`\./, 'Write what the agent is to do.'],
  [/^Name the program and its arguments in .*/, 'Write a command line.'],
  [/name it in `workingDir`/, 'name it as the directory'],
  [/^A request body holds at most 1 MiB;/, 'A message holds at most 1 MiB;'],
  [/, or look at `GET [^`]*`/, ''],
]

/** @param {string} text @param {readonly (readonly [RegExp, string])[]} table */
const told = (text, table) => table.reduce((words, [theirs, ours]) => words.replace(theirs, ours), text)

/** @param {string} message */
export const messageWords = (message) => told(message, messages)

/** What is left of a route is nothing that one can do here. @param {string} hint */
export const hintWords = (hint) =>
  told(hint, hints)
    .split(/(?<=[.;]) /)
    .filter((sentence) => !sentence.includes('/v1/'))
    .join(' ')
