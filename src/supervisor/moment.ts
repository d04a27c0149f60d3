/** The machine as it is now, for those who decide what is true of a session. */
import { isRunning } from '../base/proc.js'
import { bootId } from './boot.js'
import type { Moment } from './truth.js'

export const thisMoment = (): Moment => ({ boot: bootId(), time: Date.now(), lives: isRunning })
