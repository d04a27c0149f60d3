/** The contract suite with our own agent on an API. */
import { contract } from './suite.js'

await contract('cerebras')
