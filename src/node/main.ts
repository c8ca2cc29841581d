/** The program. Loads the command line only when Node is new enough and a SIGHUP can no longer end the process. */
import './require-node.cjs'
import { readInvocation, startsGateway } from './invocation.ts'
import { holdReloadSignal } from './reload-signal.ts'

const invocation = readInvocation(process.argv.slice(2))
// Any other command ends with its terminal.
if (startsGateway(invocation)) holdReloadSignal()
const { runCommandLine } = await import('./command-line.ts')
const code = await runCommandLine(invocation)
if (code !== undefined) process.exitCode = code
