/**
 * Prints how long it takes to start the Worker's module in a fresh V8, and to do a fixed piece of work, in milliseconds of
 * CPU time each.
 */
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Script } from 'node:vm'

const stub = 'data:text/javascript,export class DurableObject {}; export const waitUntil = () => {}'
registerHooks({
	resolve: (name, context, next) => next(name === 'cloudflare:workers' ? stub : name, context),
})

// Similar to starting a module: code that runs for the first time and creates functions and objects.
const alwaysTheSame = Array.from(
	{ length: 800 },
	(_, i) =>
		`const make${i} = (of, more) => ({ kind: 'k${i}', of, more, run(a) { return a ? make${i}(a, ${i}) : [a, '${i}'] } })
		const made${i} = make${i}(make${i}(null, [${i}]).run({ a: ${i} }), { b: ${i} }).run(0)`,
).join('\n')

/** CPU time and not wall time, which on a busy machine depends on other processes. */
async function timed(work: () => unknown): Promise<number> {
	const from = process.cpuUsage()
	await work()
	const { user, system } = process.cpuUsage(from)
	return (user + system) / 1000
}

const [, , file = ''] = process.argv
const same = await timed(() => new Script(`{${alwaysTheSame}}`).runInThisContext())
const start = await timed(() => import(pathToFileURL(resolve(file)).href))
console.log(JSON.stringify({ start, same }))
