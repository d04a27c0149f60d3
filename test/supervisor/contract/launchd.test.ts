/** The contract, kept by launchd: on a Mac by its own, elsewhere by a stand-in, whose seconds between two starts last a tenth. */
import t from 'tap'
import { LaunchdSupervisor } from '../../../src/supervisor/launchd/launchd.js'
import { StandIn } from '../../launchctl/stand-in.js'
import { contract } from './contract.js'

if (process.platform !== 'darwin') {
  const launchd = new StandIn(t, { secondMs: 100 })
  await launchd.start()
  Object.assign(process.env, launchd.env)
}

contract('launchd', (_t, home) => new LaunchdSupervisor(home))
