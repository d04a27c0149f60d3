/** Words for a shell, as a person would type them. */

/** A command line: what a shell would take apart stands in quotes. */
export const shellWords = (argv: readonly string[]): string =>
  argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
