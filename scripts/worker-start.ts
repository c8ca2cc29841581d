/** Tells how long the Worker's module takes to start, in a fresh V8: milliseconds of processor time, on standard output. */
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const stub = 'data:text/javascript,export class DurableObject {}'
registerHooks({
	resolve: (name, context, next) => next(name === 'cloudflare:workers' ? stub : name, context),
})

const [, , file = ''] = process.argv
// Processor time and not the clock's, for on a busy machine that says more of the others.
const from = process.cpuUsage()
await import(pathToFileURL(resolve(file)).href)
const { user, system } = process.cpuUsage(from)
console.log((user + system) / 1000)
