/** Ten thousand calls that are refused or broken off are a handful of lines in the log, and each of them is counted. */
import { setTimeout as wait } from 'node:timers/promises'
import { send } from '../../runtime/http.ts'
import { message } from '../calls.ts'
import { startGateway } from '../gateway.ts'
import type { Row } from '../row.ts'
import { dial, exchange } from '../sockets.ts'

const mostLines = 100
/** Milliseconds for which further refusals of a kind are only counted. */
const quiet = 10_000

export const logFlood: Row = {
	id: 'D25',
	fault:
		'10,000 calls are refused or broken off: no such path, wrong secret, wrong method, two hosts, no HTTP, half a body',
	demand: '≤ 100 lines of log, and the counts in them exact',
	except:
		'what proves its origin and cannot be read is a turn, and each turn is a line; who broke off is counted, but from outside nobody knows how many had arrived',
	waits: 'idly',
	async run(trial) {
		const gateway = await startGateway(
			trial,
			{
				upstream: { url: 'builtin:demo' },
				routes: [
					{ name: 'open', path: '/open', platform: 'canonical' },
					{ name: 'guarded', path: '/guarded', platform: 'canonical', secrets: [{ env: 'SECRET' }] },
				],
			},
			{ env: { SECRET: 'nobody knows this secret' } },
		)
		const { url } = gateway
		const each = trial.at(200, 2000, 20_000)
		const body = message('Hi')
		const kinds = [
			{ method: 'POST', path: '/nowhere/at/all', body, status: 404 },
			{ method: 'POST', path: '/guarded', body, status: 404 },
			{ method: 'POST', path: '/guarded/wrong', body, status: 404 },
			{ method: 'PUT', path: '/open', body, status: 405 },
		] as const
		const broken: string[] = []
		for (const { status, ...call } of kinds) {
			let left = each
			const caller = async (): Promise<void> => {
				while (left-- > 0) {
					const got = await send(url, call)
					if (got.status !== status) broken.push(`${call.path}: ${got.status}`)
				}
			}
			await Promise.all(Array.from({ length: 10 }, caller))
		}
		const twoHosts = 'GET /open HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'
		for (const bytes of [twoHosts, 'GET\0/open\r\n\r\n']) {
			let left = each
			const caller = async (): Promise<void> => {
				while (left-- > 0) {
					const { statuses } = await exchange(url, bytes, { quiet: 20 })
					if (statuses.join() !== '400') broken.push(`${JSON.stringify(bytes)}: ${statuses.join()}`)
				}
			}
			await Promise.all(Array.from({ length: 10 }, caller))
		}
		const head = `POST /open HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"version"`
		for (let done = 0; done < each; done += 50) {
			const lines = Array.from({ length: 50 }, () => dial(trial, url))
			for (const { socket } of lines) socket.write(head, () => socket.resetAndDestroy())
			await Promise.all(lines.map(({ closed }) => closed))
		}
		const flood = gateway.lines.length
		if (flood > mostLines) broken.push(`${flood} lines of log`)
		let counted = countedIn(gateway.lines)
		if (trial.scale !== 'short') {
			await wait(quiet)
			// One of each reason: what comes behind it is counted for the next line.
			const last = kinds.filter(({ path }) => path !== '/guarded/wrong')
			for (const { method, path } of last) await send(url, { method, path, body })
			await exchange(url, twoHosts)
			await wait(100)
			counted = countedIn(gateway.lines)
			const refused = (kinds.length + 1) * each + last.length + 1
			if (counted !== refused) broken.push(`${counted} refusals were counted of ${refused}`)
		}
		if (/^\s+at /m.test(gateway.written())) broken.push('there are stacks in the log')
		return {
			reached: `${each * (kinds.length + 3)} calls: ${flood} lines of log, ${counted} counted in them`,
			broken: broken.slice(0, 10),
		}
	},
}

/** The refusals that the lines tell of; how many were broken off nobody can count from outside. */
function countedIn(lines: readonly { readonly msg: string; readonly [field: string]: unknown }[]): number {
	const refused = lines.filter(({ msg, error }) => msg === 'refused' && error !== 'body-incomplete')
	return refused.reduce((sum, { times }) => sum + Number(times), 0)
}
