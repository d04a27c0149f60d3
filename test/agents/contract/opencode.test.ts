/** The contract suite with the real opencode. */
import { contract } from './suite.js'

await contract('opencode')
