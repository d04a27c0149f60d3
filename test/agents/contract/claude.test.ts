/** The contract suite with the real claude. */
import { contract } from './suite.js'

await contract('claude')
