/** The program. Loads the command line only when Node is new enough and a SIGHUP can no longer end the process. */
import './require-node.cjs'
import { holdReloadSignal } from './reload-signal.ts'

// A command ends with its terminal.
if (process.argv.length === 2) holdReloadSignal()
await import('./command-line.ts')
