/** Ten thousand calls that are rejected or aborted cause a few log lines, and each call is counted. */

import { setTimeout as wait } from 'node:timers/promises'
import { message } from '../../harness/http.ts'
import { own } from '../../harness/platforms.ts'
import { dial, exchange } from '../../harness/sockets.ts'
import { type Row, unless } from '../row.ts'
import { each } from '../turns.ts'

const mostLines = 100
/** Milliseconds for which further refusals of a kind are only counted. */
const quiet = 10_000

const body = message('Hi')
const refusals = [
	{ method: 'POST', path: '/nowhere/at/all', body, status: 404 },
	{ method: 'POST', path: '/guarded', body, status: 404 },
	{ method: 'POST', path: '/guarded/wrong', body, status: 404 },
	{ method: 'PUT', path: '/own', body, status: 405 },
]
const twoHosts = 'GET /own HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'
const half = 'POST /own HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"version"'

export const logFlood: Row = {
	id: 'D25',
	fault:
		'10,000 calls that are rejected or aborted: unknown path, wrong secret, wrong method, two Hosts, not HTTP, half a body',
	demand: '≤ 100 log lines, with exact counts',
	except:
		'an authenticated call that cannot be read is a turn, and each turn is a line; aborted calls are counted, but from outside it is not known how many arrived',
	waits: 'idly',
	async run(trial) {
		const gateway = await trial.start(
			{
				upstream: { url: 'builtin:demo' },
				routes: [own.route({}, 'own'), own.route({ secrets: [{ env: 'SECRET' }] }, 'guarded')],
			},
			{ env: { SECRET: 'an unknown secret' } },
		)
		const { url } = gateway
		const count = trial.at(200, 2000, 20_000)
		const broken: string[] = []
		for (const { status, ...call } of refusals) {
			const answers = await each(count, 10, () => gateway.send(call))
			broken.push(...answers.filter((got) => got.status !== status).map((got) => `${call.path}: ${got.status}`))
		}
		for (const bytes of [twoHosts, 'GET\0/own\r\n\r\n']) {
			const answers = await each(count, 10, () => exchange(url, bytes, { quiet: 20 }))
			broken.push(
				...answers
					.filter(({ statuses }) => statuses.join() !== '400')
					.map((got) => JSON.stringify([bytes, got.statuses])),
			)
		}
		for (let done = 0; done < count; done += 50) {
			const lines = Array.from({ length: 50 }, () => dial(trial, url))
			for (const { socket } of lines) socket.write(half, () => socket.resetAndDestroy())
			await Promise.all(lines.map(({ closed }) => closed))
		}
		const flood = gateway.lines.length
		/** The refusals that the lines tell of; how many were broken off cannot be counted from outside. */
		const counted = () =>
			gateway.lines
				.filter(({ msg, error }) => msg === 'refused' && error !== 'body-incomplete')
				.reduce((sum, { times }) => sum + Number(times), 0)
		if (trial.scale !== 'short') {
			await wait(quiet)
			// One of each reason: what comes behind it is counted for the next line.
			const last = refusals.filter(({ path }) => path !== '/guarded/wrong')
			for (const call of last) await gateway.send(call)
			await exchange(url, twoHosts)
			await wait(100)
			const refused = (refusals.length + 1) * count + last.length + 1
			broken.push(...unless(counted() === refused, `${counted()} refusals were counted of ${refused}`))
		}
		return {
			reached: `${count * (refusals.length + 3)} calls: ${flood} log lines, which count ${counted()} of them`,
			broken: [
				...broken,
				...unless(flood <= mostLines, `${flood} lines of log`),
				...unless(!/^\s+at /m.test(gateway.written()), 'there are stacks in the log'),
			],
		}
	},
}
