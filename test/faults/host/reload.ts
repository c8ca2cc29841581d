/** The configuration is replaced under load, with valid and invalid ones. */

import { setTimeout as wait } from 'node:timers/promises'
import type { GatewayProcess } from '../../harness/gateway.ts'
import { header, json, message, says } from '../../harness/http.ts'
import { type Loaded, open, wrongs } from '../../harness/load.ts'
import { own } from '../../harness/platforms.ts'
import { until } from '../../until.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, unless } from '../row.ts'
import { nth } from '../turns.ts'

/** Milliseconds between two configurations. */
const every = 100

/** Each part of a generation says its number: where it calls, what it adds, and, of odd ones, how it answers. */
function generation(number: number, url: string): object {
	return {
		upstream: { url: `${url}/${number}`, headers: { 'x-generation': `${number}` } },
		routes: [own.route({ debug: number % 2 === 1 }, 'own')],
	}
}

/** Texts that are no configuration, each with what the log has to say of it. */
function invalid(url: string): readonly (readonly [text: string, says: RegExp])[] {
	const but = (more: object) => JSON.stringify({ ...generation(0, url), ...more })
	return [
		['', /is not JSON/],
		['{', /is not JSON: line 1, column 2/],
		['[]', /must be an object/],
		[but({ colour: 'red' }), /^colour: no such key/],
		[but({ routes: [] }), /^routes: must be a list of at least one route/],
		[but({ upstream: { url: 'ftp://x' } }), /^upstream\.url: /],
		[but({ upstream: { url, secrets: [{ env: 'NOT_SET' }] } }), /NOT_SET/],
		[but({ routes: [own.route({ platform: 'nobody' })] }), /^routes\[0\]\.platform: /],
		[but({ routes: [own.route({ path: '/-/in' })] }), /^routes\[0\]\.path: /],
		[but({ outbox: { file: 'outbox.db' } }), /^outbox: cannot be changed while the gateway runs/],
	]
}

export const reload: Row = {
	id: 'B11',
	fault: 'The configuration is replaced under load, with valid and invalid ones',
	demand:
		'100 valid and 20 invalid ones at 500 calls per second: 0 failed calls, each answered by exactly one generation; each invalid one is rejected with its reason, and the old one stays',
	waits: 'idly',
	async run(trial) {
		const upstream = await trial.upstream(async (call, connection) => {
			// Long enough for the next generations to come meanwhile.
			await connection.pause(trial.random() < 0.2 ? 3 * every * trial.random() : 0)
			return json(says(`generation ${call.path.slice(1)} ${header(call, 'x-generation')}`))
		})
		const gateway = await trial.start(generation(0, upstream.url))
		const [valid, wrong] = [trial.at(20, 100, 500), trial.at(10, 20, 100)]
		const rate = trial.at(200, 500, 500)
		const seen = new Set<string>()
		let newest = 0
		/** The newest generation when each call was sent. */
		const sentAt: number[] = []
		let done = false
		const second = (first: number): Promise<Loaded> =>
			open(gateway.url, {
				...{ rate, seconds: 1 },
				call(n) {
					sentAt[first + n] = newest
					return { path: '/own', body: message('Hi') }
				},
				judge(answer, n) {
					const [, said = '', again] = /generation (\d+) (\d+)/.exec(answer.body) ?? []
					if (answer.status !== 200) return `status ${answer.status}`
					seen.add(said)
					const debug = header(answer, 'dragoman-changes') !== undefined
					if (said !== again || debug !== (Number(said) % 2 === 1)) return 'parts of two generations'
					return Number(said) < (sentAt[first + n] ?? 0) ? 'a generation that was replaced before the call' : undefined
				},
			})
		const load = (async () => {
			const seconds: Loaded[] = []
			while (!done) seconds.push(await second(seconds.length * rate))
			return seconds
		})()
		const broken: string[] = []
		const texts = invalid(upstream.url)
		for (let taken = 0, refused = 0; taken + refused < valid + wrong; ) {
			const from = performance.now()
			const good = (taken + 1) * wrong <= (refused + 1) * valid
			const [text, reason] = nth(texts, refused)
			gateway.configure(good ? generation(taken + 1, upstream.url) : text)
			const line = await signalled(gateway)
			if (good) {
				newest = ++taken
				broken.push(...unless(line?.level === 'info', `generation ${taken} was not taken: ${JSON.stringify(line)}`))
			} else {
				refused++
				const mistakes = [line?.mistakes].flat()
				broken.push(
					...unless(
						line?.level === 'error' && mistakes.some((each) => reason.test(String(each))),
						`an invalid configuration was not refused for ${reason}: ${JSON.stringify(line)}`,
					),
				)
			}
			await wait(Math.max(0, every - (performance.now() - from)))
		}
		done = true
		const seconds = await load
		const sent = seconds.reduce((sum, each) => sum + each.sent, 0)
		const failed = seconds.reduce((sum, each) => sum + each.unanswered(), 0)
		const found = seconds.flatMap(wrongs)
		return {
			reached: `${valid} applied, ${wrong} rejected with their reasons; ${sent} calls, ${failed} failed, ${seen.size} generations seen, ${found.length === 0 ? 0 : 'some'} answers mixed two`,
			broken: [
				...broken,
				...faultsOf(gateway),
				...found,
				...none(failed, 'calls had no answer'),
				...unless(seen.size >= valid / 2, `only ${seen.size} generations were seen by a call`),
			],
		}
	},
}

/** Has the file read again; the line that the log then has. */
async function signalled({
	process: { pid },
	lines,
}: GatewayProcess): Promise<GatewayProcess['lines'][number] | undefined> {
	const before = lines.length
	const line = () => lines.find(({ msg }, i) => i >= before && msg === 'reload')
	if (pid === undefined) throw new Error('it has not started')
	process.kill(pid, 'SIGHUP')
	await until(() => line() !== undefined)
	return line()
}
