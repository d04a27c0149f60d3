/** The contract, kept by processes of their own. */
import { PlainSupervisor } from '../../../src/supervisor/plain/plain.js'
import { contract } from './contract.js'

contract('plain', (_t, home) => new PlainSupervisor(home))
