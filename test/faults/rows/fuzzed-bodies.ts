/** Whatever a body is, it is read or refused: nothing falls over, nothing hangs, and no error is without its type. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Pool } from 'undici'
import type { Sent } from '../../runtime/http.ts'
import { platforms } from '../calls.ts'
import { fuzzed } from '../fuzz.ts'
import { everyPlatform, type Fuzzed, type Fuzzing, faultOf, shown } from '../fuzz-thread.ts'
import { startGateway } from '../gateway.ts'
import type { Row, Trial } from '../row.ts'

const abreast = 32
/** Bodies for each platform. */
const demanded = 100_000

export const fuzzedBodies: Row = {
	id: 'D8',
	fault: 'Bodies are mutated, cut and garbled, or no more than bytes',
	demand: '100,000 for each platform: 0 crashes, 0 hangs over 1 s, 0 answers of 5xx that are not typed errors',
	async run(trial) {
		const found = { count: 0, accepted: 0, refused: 0, sockets: 0, slowest: 0 }
		const broken = [...(await throughTheApp(trial, found)), ...(await overSockets(trial, found))]
		if (found.accepted === 0 || found.refused === 0) broken.push('nothing was tried: all was taken, or all refused')
		const { count, accepted, refused, sockets, slowest } = found
		const reached = `${count} bodies for ${platforms.length} platforms, ${sockets} more over sockets: ${accepted} taken, ${refused} refused, ${broken.length} faults; slowest ${slowest.toFixed(0)} ms`
		const share = count / platforms.length
		const missed = share < demanded ? [`${share} for each platform in the short form, for want of time`] : []
		return { reached, broken: broken.slice(0, 10), missed }
	},
}

interface Found {
	count: number
	accepted: number
	refused: number
	sockets: number
	slowest: number
}

/** The bodies of each platform shared out among as many threads as there are cores. */
async function throughTheApp(trial: Trial, found: Found): Promise<string[]> {
	const cores = availableParallelism()
	const count = Math.ceil(trial.at(1000, demanded, 2 * demanded) / cores)
	const shares = Array.from({ length: cores }, async (_, core): Promise<readonly Fuzzed[]> => {
		const told: Fuzzing = { seed: trial.seed + core * count, count }
		const thread = new Worker(new URL('../fuzz-thread.ts', import.meta.url), { workerData: told })
		trial.after(() => thread.terminate())
		const [fuzzed] = await once(thread, 'message')
		return fuzzed
	})
	const all = (await Promise.all(shares)).flat()
	const wanted = cores * platforms.length
	if (all.length !== wanted) throw new Error(`${all.length} of ${wanted} shares were tried`)
	for (const { accepted, refused, slowest } of all) {
		found.count += accepted + refused
		found.accepted += accepted
		found.refused += refused
		found.slowest = Math.max(found.slowest, slowest)
	}
	return all.flatMap(({ broken }) => broken)
}

async function overSockets(trial: Trial, found: Found): Promise<string[]> {
	const gateway = await startGateway(trial, everyPlatform)
	const pool = new Pool(gateway.url, { connections: abreast, headersTimeout: 5000, bodyTimeout: 5000 })
	trial.after(() => pool.destroy())
	const broken: string[] = []
	const take = async (sent: Sent): Promise<void> => {
		const { method = 'POST', path, headers = [], body } = sent
		found.sockets++
		const response = await pool.request({ method, path, headers: headers.flat(), body: bodyOf(method, body) })
		const fault = faultOf(response.statusCode, await response.body.text())
		if (fault) broken.push(`${fault} over a socket: ${shown(sent)}`)
	}
	for (const platform of platforms) {
		const calls = fuzzed(platform, trial.seed + 1, trial.at(100, 1000, 10_000))
		const caller = async (): Promise<void> => {
			for await (const sent of calls) {
				await take(sent).catch((thrown) => broken.push(`no answer over a socket (${thrown}): ${shown(sent)}`))
			}
		}
		await Promise.all(Array.from({ length: abreast }, caller))
	}
	const { exitCode } = gateway.process
	if (exitCode !== null) broken.push(`the gateway ended with ${exitCode}`)
	for (const { msg, cause } of gateway.lines) if (msg === 'uncaught') broken.push(`uncaught: ${cause}`)
	return broken
}

function bodyOf(method: string, body: Sent['body']): string | Buffer | null {
	return method === 'GET' || method === 'HEAD' || body === undefined ? null : body
}
