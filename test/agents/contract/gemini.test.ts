/** The contract suite with the real gemini. */
import { contract } from './suite.js'

await contract('gemini')
