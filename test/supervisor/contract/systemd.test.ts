/** The contract, kept by the real user manager. */
import { SystemdSupervisor } from '../../../src/supervisor/systemd.js'
import { requireManager } from '../../helpers/agentz.js'
import { contract } from './contract.js'

requireManager()

contract('systemd', (_t, home) => new SystemdSupervisor(home))
