/** Whatever a body is, it is read or refused: nothing falls over, nothing hangs, and no error is without its type. */
import { Pool } from 'undici'
import { errors } from '../../../src/errors.ts'
import type { Sent } from '../../runtime/http.ts'
import { platforms, routeOf } from '../calls.ts'
import { fuzzed } from '../fuzz.ts'
import { startGateway } from '../gateway.ts'
import { gatewayInside } from '../inside.ts'
import type { Row, Trial } from '../row.ts'

/** Milliseconds. */
const hang = 1000
const abreast = 32
/** Bodies for each platform. */
const demanded = 100_000

const config = { upstream: { url: 'builtin:demo' }, routes: platforms.map((platform) => routeOf(platform)) }

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
		const each = count / platforms.length
		const missed = each < demanded ? [`${each} for each platform, for want of time; all of them with --full`] : []
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

async function throughTheApp(trial: Trial, found: Found): Promise<string[]> {
	const gateway = gatewayInside(trial, config)
	const broken: string[] = []
	for (const platform of platforms) {
		for await (const sent of fuzzed(platform, trial.seed, trial.at(1000, 10_000, demanded))) {
			found.count++
			const from = performance.now()
			const response = await gateway.take(sent)
			const body = await response.text()
			let ms = performance.now() - from
			// The machine may have been busy: what hangs hangs again.
			if (ms > hang) ms = Math.min(ms, await timed(() => gateway.take(sent)))
			if (ms > hang) broken.push(`hung for ${ms.toFixed(0)} ms: ${shown(sent)}`)
			found.slowest = Math.max(found.slowest, ms)
			const fault = faultOf(response.status, body)
			if (fault) broken.push(`${fault}: ${shown(sent)}`)
			if (response.ok) found.accepted++
			else found.refused++
			gateway.lines.length = 0
			if (broken.length > 10) return broken
		}
	}
	return broken
}

async function timed(run: () => Promise<unknown>): Promise<number> {
	const from = performance.now()
	await run()
	return performance.now() - from
}

async function overSockets(trial: Trial, found: Found): Promise<string[]> {
	const gateway = await startGateway(trial, config)
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

function faultOf(status: number, body: string): string | undefined {
	if (status < 500) return undefined
	const title = titleOf(body)
	if (title === 'internal') return 'a fault of the gateway'
	return title !== undefined && Object.hasOwn(errors, title) ? undefined : `status ${status} without a type`
}

function titleOf(body: string): string | undefined {
	try {
		const { title } = JSON.parse(body)
		return typeof title === 'string' ? title : undefined
	} catch {
		return undefined
	}
}

function shown({ method, path, headers, body }: Sent): string {
	return JSON.stringify([method, path, headers, Buffer.from(body ?? '').toString('latin1')]).slice(0, 600)
}
