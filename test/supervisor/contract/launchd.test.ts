/** The contract, kept by launchd, which a stand-in plays: its seconds between two starts last a tenth. */
import t from 'tap'
import { LaunchdSupervisor } from '../../../src/supervisor/launchd/launchd.js'
import { StandIn } from '../../launchctl/stand-in.js'
import { contract } from './contract.js'

const launchd = new StandIn(t, { secondMs: 100 })
await launchd.start()
Object.assign(process.env, launchd.env)

contract('launchd', (_t, home) => new LaunchdSupervisor(home))
