/** The contract suite with the real codex. */
import { contract } from './suite.js'

await contract('codex')
