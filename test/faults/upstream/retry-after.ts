/** An upstream that asks for a pause: Retry-After in every form. */

import { setTimeout as wait } from 'node:timers/promises'
import { header } from '../../harness/http.ts'
import { notifying, own } from '../../harness/platforms.ts'
import type { Script } from '../../harness/upstream.ts'
import { atOnceThenEach, outboxOf } from '../accepting.ts'
import { fails, replies } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import type { Row } from '../row.ts'
import { each, excerpt, nth, turnsWith } from '../turns.ts'

/** Milliseconds: the pause that is asked for, and the longest of turns and of accepted events. */
const [asked, mostOfTurns, mostOfEvents] = [3000, 60_000, 24 * 3_600_000]
const tenYears = 10 * 365 * 86_400

interface Form {
	readonly name: string
	readonly code: number
	/** The header's value when it is asked at this time. */
	value(now: number): string
	/** Milliseconds, at least, until it is called again; 0: it asked for nothing. */
	readonly rests: number
}

const date = (milliseconds: number) => (now: number) => new Date(now + milliseconds).toUTCString()
const text = (value: string | number) => () => String(value)

const forms: readonly Form[] = [
	{ name: '429-seconds', code: 429, value: text(asked / 1000), rests: asked },
	{ name: '503-seconds', code: 503, value: text(asked / 1000), rests: asked },
	// Dates have whole seconds: the part of one is lost.
	{ name: '503-date', code: 503, value: date(asked), rests: asked - 1000 },
	{ name: '503-date-gone', code: 503, value: date(-60_000), rests: 0 },
	{ name: '503-garbage', code: 503, value: text(excerpt), rests: 0 },
	{ name: '429-negative', code: 429, value: text(-5), rests: 0 },
	{ name: '429-fraction', code: 429, value: text('1.5e9'), rests: 0 },
	{ name: '503-empty', code: 503, value: text(''), rests: 0 },
	{ name: '429-ten-years', code: 429, value: text(tenYears), rests: mostOfEvents },
	{ name: '503-ten-years', code: 503, value: date(tenYears * 1000), rests: mostOfEvents },
	// It means nothing there.
	{ name: '500-seconds', code: 500, value: text(3600), rests: 0 },
]

export const retryAfter: Row = {
	id: 'A11',
	fault: '429 and 503 with Retry-After: seconds, a date, garbage, ten years',
	demand:
		'no attempt earlier than requested, up to at most 24 h for accepted events and 60 s for turns; garbage is ignored',
	waits: 'idly',
	async run(trial) {
		/** Every form, for an event and for a turn. */
		const cases = forms.flatMap((form) =>
			[notifying, own].map((platform) => ({
				...{ form, platform, hits: [] as number[] },
				path: `${platform === own ? 'turn' : 'event'}-${form.name}`,
			})),
		)
		const scripts = cases.map(({ path, form, hits }): [string, Script] => [
			`/${path}`,
			(call, connection) => {
				hits.push(call.at)
				// It fails the first time, and does well from then on.
				const script = hits.length > 1 ? replies : fails(form.code, [['retry-after', form.value(Date.now())]])
				return script(call, connection)
			},
		])
		const upstream = await trial.upstream(Object.fromEntries(scripts))
		const gateway = await trial.start({
			outbox: outboxOf(trial, { schedule: atOnceThenEach('300ms', 5) }),
			routes: cases.map(({ platform, path }) => platform.route({ upstream: { url: `${upstream.url}/${path}` } }, path)),
		})
		const take = turnsWith(trial, gateway)
		const broken: string[] = []

		const calledAgain = await each(cases.length, cases.length, async (n) => {
			const { form, platform, path, hits } = nth(cases, n)
			const fault = (sentence: string) => void broken.push(`${path}: ${sentence}`)
			const capped = form.rests === mostOfEvents
			const first = await take(platform, path)
			const until = performance.now() + asked + 10_000
			if (first.heard !== (platform === own ? 'upstream-status' : 'accepted')) fault(`heard ${first.heard}`)
			if (platform === own) {
				const next = await take(platform, path)
				const rests = next.heard === 'upstream-circuit-open'
				if (rests !== form.rests > 0) fault(`the next turn heard ${next.heard}`)
				const told = Number(header(next.answer, 'retry-after')) * 1000
				const most = Math.min(mostOfTurns, form.rests + 1000)
				if (rests && !(told > 0 && told <= most && (!capped || told === most))) {
					fault(`the platform is told to wait ${told} ms`)
				}
				if (capped) return false
			}
			while (hits.length < 2 && performance.now() < until) {
				await wait(20)
				if (platform === own) await take(platform, path)
			}
			if (capped) {
				const line = gateway.lines.find(({ msg, route }) => msg === 'delivery' && route === path)
				if (hits.length > 1) fault('it was called again')
				if (line?.nextIn !== mostOfEvents) fault(`the next attempt is in ${line?.nextIn} ms`)
				return false
			}
			const [one = 0, two] = hits
			const early = form.rests - ((two ?? Number.NaN) - one)
			if (two === undefined) fault('it was never called again')
			// The moments are of two processes.
			if (early > 5) fault(`called again ${early.toFixed(0)} ms too early`)
			return two !== undefined
		})
		const capped = gateway.lines.filter(({ nextIn }) => nextIn === mostOfEvents).length
		return {
			reached: `${forms.length} forms for events and turns: ${calledAgain.filter(Boolean).length} called again, none too early; ${capped} of ten years are attempted again in 24 h, and turns get a Retry-After of 60 s`,
			broken: [...broken, ...faultsOf(gateway)],
		}
	},
}
