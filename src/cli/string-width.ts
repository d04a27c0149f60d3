/**
 * Stands in for the package `string-width` inside our build of yargs (scripts/build.mjs), which lays out its help with it:
 * the package spends tens of milliseconds of every start on compiling expressions for emoji, and our help has none.
 */
import { stripVTControlCharacters } from 'node:util'

/** The columns that a text takes, one for each character. */
export default function stringWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length
}
