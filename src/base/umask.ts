/**
 * The umask of whoever has called us is for his agents. What we make ourselves is closed to others and open to him, whatever he has:
 * one of 0777 would make directories that nobody but root may enter again.
 */
let callers: number | undefined

/** Called once, where a command line begins. */
export function takeUmask(): void {
  callers ??= process.umask(0o077)
}

/** In octal digits. */
export const callersUmask = (): string => (callers ?? process.umask()).toString(8).padStart(4, '0')
