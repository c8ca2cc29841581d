/** The configuration is replaced under load, by valid ones and by others. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../../until.ts'
import { message } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { folder, type Started, startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { type Loaded, open } from '../load.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'

/** Milliseconds between two configurations. */
const every = 100

/** Each part of a generation says its number: where it calls, what it adds, and, of odd ones, how it answers. */
function generation(number: number, url: string): object {
	return {
		upstream: { url: `${url}${number}`, headers: { 'x-generation': `${number}` } },
		routes: [{ name: 'in', path: '/in', platform: 'canonical', debug: number % 2 === 1 }],
	}
}

/** Texts that are no configuration, each with what the log has to say of it. */
function invalid(url: string): readonly (readonly [text: string, says: RegExp])[] {
	const valid = generation(0, url)
	const with_ = (more: object) => JSON.stringify({ ...valid, ...more })
	return [
		['', /is not JSON/],
		['{', /is not JSON: line 1, column 2/],
		['[]', /must be an object/],
		[with_({ colour: 'red' }), /^colour: no such key/],
		[with_({ routes: [] }), /^routes: must be a list of one route or more/],
		[with_({ upstream: { url: 'ftp://x' } }), /^upstream\.url: /],
		[with_({ upstream: { url, secrets: [{ env: 'NOT_SET' }] } }), /NOT_SET/],
		[with_({ routes: [{ name: 'in', path: '/in', platform: 'nobody' }] }), /^routes\[0\]\.platform: /],
		[with_({ routes: [{ name: 'in', path: '/-/in', platform: 'canonical' }] }), /^routes\[0\]\.path: /],
		[with_({ outbox: { file: 'outbox.db' } }), /^outbox: cannot be changed while the gateway runs/],
	]
}

export const reload: Row = {
	id: 'B11',
	fault: 'The configuration is replaced under load, by valid and by invalid ones',
	demand:
		'100 valid and 20 invalid ones at 500 calls a second: 0 failed calls, each answered by exactly one generation; each invalid one refused with its reason, and the old one stays',
	waits: 'idly',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const upstream = await startEcho(trial, async ({ target, headers }) => {
			// Long enough for the next generations to come meanwhile.
			await wait(random() < 0.2 ? 3 * every * random() : 0)
			return says(`generation ${target.slice(1)} ${headers[headers.indexOf('x-generation') + 1]}`)
		})
		const file = join(folder(trial), 'gateway.json')
		const write = (text: string): void => {
			writeFileSync(`${file}.new`, text)
			renameSync(`${file}.new`, file)
		}
		write(JSON.stringify(generation(0, upstream.url)))
		const gateway = await startGateway(trial, {}, { file })
		const [valid, wrong] = [trial.at(20, 100, 500), trial.at(10, 20, 100)]
		const rate = trial.at(200, 500, 500)
		const seen = new Set<string>()
		let newest = 0
		/** The newest generation that counted when a call was sent. */
		const sentAt: number[] = []
		let over = false
		const second = (first: number): Promise<Loaded> =>
			open({
				...{ url: gateway.url, rate, seconds: 1 },
				call(n) {
					sentAt[first + n] = newest
					return { path: '/in', body: message('Hi') }
				},
				judge({ status, body, headers }, n) {
					const [, said = '', again] = /generation (\d+) (\d+)/.exec(body) ?? []
					if (status !== 200) return `status ${status}`
					seen.add(said)
					const debug = headers.has('dragoman-changes')
					if (said !== again || debug !== (Number(said) % 2 === 1)) return 'parts of two generations'
					return Number(said) < (sentAt[first + n] ?? 0) ? 'a generation that was replaced before the call' : undefined
				},
			})
		const load = (async () => {
			const seconds: Loaded[] = []
			while (!over) seconds.push(await second(seconds.length * rate))
			return seconds
		})()
		const broken: string[] = []
		const texts = invalid(upstream.url)
		for (let taken = 0, refused = 0; taken + refused < valid + wrong; ) {
			const from = performance.now()
			const good = (taken + 1) * wrong <= (refused + 1) * valid
			const [text, reason] = texts[refused % texts.length] ?? ['', /./]
			write(good ? JSON.stringify(generation(taken + 1, upstream.url)) : text)
			const line = await signal(gateway)
			if (good) {
				taken++
				newest = taken
				if (line?.level !== 'info') broken.push(`generation ${taken} was not taken: ${JSON.stringify(line)}`)
			} else {
				refused++
				const mistakes = Array.isArray(line?.mistakes) ? line.mistakes : []
				if (line?.level !== 'error' || !mistakes.some((each) => reason.test(String(each)))) {
					broken.push(`an invalid configuration was not refused for ${reason}: ${JSON.stringify(line)}`)
				}
			}
			await wait(Math.max(0, every - (performance.now() - from)))
		}
		over = true
		const seconds = await load
		const sent = seconds.reduce((sum, each) => sum + each.sent, 0)
		const failed = seconds.reduce(
			(sum, { failures, hung }) => [...failures.values()].reduce((a, b) => a + b, sum + hung),
			0,
		)
		const found = seconds.flatMap((each) => [...each.wrong].map(([what, times]) => `${times} × ${what}`))
		broken.push(...faultsOf(gateway), ...found)
		if (failed > 0) broken.push(`${failed} calls had no answer`)
		if (seen.size < valid / 2) broken.push(`only ${seen.size} generations were seen by a call`)
		return {
			reached: `${valid} taken, ${wrong} refused with their reasons; ${sent} calls, ${failed} failed, ${seen.size} generations seen, ${found.length === 0 ? 0 : 'some'} answers of two`,
			broken: broken.slice(0, 10),
		}
	},
}

/** Has the file read again; the line that the log then has. */
async function signal({ process: { pid }, lines }: Started): Promise<Started['lines'][number] | undefined> {
	const before = lines.length
	const line = () => lines.find(({ msg }, i) => i >= before && msg === 'reload')
	if (pid === undefined) throw new Error('it has not started')
	process.kill(pid, 'SIGHUP')
	await until(() => line() !== undefined)
	return line()
}
