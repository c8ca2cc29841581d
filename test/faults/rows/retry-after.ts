/** An upstream that asks to be left alone for a while: Retry-After in every form. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { answer, excerpt, replyTo, status } from '../behaviours.ts'
import { folder, startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speaker } from '../turns.ts'
import { type Act, faultUpstream } from '../upstream.ts'

/** Milliseconds: the waits that are asked for, the schedule's own, and the longest of turns and of accepted events. */
const [asked, usual, mostOfTurns, mostOfEvents] = [3000, 300, 60_000, 24 * 3_600_000]
const tenYears = 10 * 365 * 86_400

interface Form {
	readonly code: number
	/** The header's value when it is asked at this time. */
	value(now: number): string
	/** Milliseconds, at least, until it is called again; 0: it asked for nothing. */
	readonly rests: number
}

const forms: { readonly [name: string]: Form } = {
	'429-seconds': { code: 429, value: () => String(asked / 1000), rests: asked },
	'503-seconds': { code: 503, value: () => String(asked / 1000), rests: asked },
	// Dates have whole seconds: the part of one is lost.
	'503-date': { code: 503, value: (now) => new Date(now + asked).toUTCString(), rests: asked - 1000 },
	'503-date-gone': { code: 503, value: (now) => new Date(now - 60_000).toUTCString(), rests: 0 },
	'503-garbage': { code: 503, value: () => excerpt, rests: 0 },
	'429-negative': { code: 429, value: () => '-5', rests: 0 },
	'429-fraction': { code: 429, value: () => '1.5e9', rests: 0 },
	'503-empty': { code: 503, value: () => '', rests: 0 },
	'429-ten-years': { code: 429, value: () => String(tenYears), rests: mostOfEvents },
	'503-ten-years': { code: 503, value: (now) => new Date(now + tenYears * 1000).toUTCString(), rests: mostOfEvents },
	// It means nothing there.
	'500-seconds': { code: 500, value: () => '3600', rests: 0 },
}

export const retryAfter: Row = {
	id: 'A11',
	fault: '429 and 503 with Retry-After: seconds, a date, garbage, ten years',
	demand:
		'no attempt earlier than was asked, at most 24 h later for accepted events, and 60 s for turns; garbage is ignored',
	waits: 'idly',
	async run(trial) {
		const names = Object.keys(forms)
		const hits = new Map<string, number[]>()
		// Fails the first time, and does well from then on.
		const act = (name: string, { code, value }: Form): Act => {
			const own: number[] = []
			hits.set(name, own)
			return (line, call) => {
				own.push(performance.now())
				if (own.length > 1) return line.write(answer(replyTo(call)))
				return status(code, [`retry-after: ${value(Date.now())}`])(line, call)
			}
		}
		const upstream = await faultUpstream(
			trial,
			Object.fromEntries(
				Object.entries(forms).flatMap(([name, form]) =>
					['event', 'turn'].map((kind) => [`${kind}-${name}`, { act: act(`${kind}-${name}`, form) }]),
				),
			),
		)
		const speakers = { event: speaker('snatchbot-webhook'), turn: speaker('canonical') }
		const to = (path: string) => ({ upstream: { url: upstream.at(path) } })
		const gateway = await startGateway(trial, {
			outbox: { file: join(folder(trial), 'outbox.db'), schedule: ['0s', ...Array(5).fill(`${usual}ms`)] },
			routes: names.flatMap((name) => [
				speakers.event.route(`event-${name}`, to(`event-${name}`)),
				speakers.turn.route(`turn-${name}`, to(`turn-${name}`)),
			]),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const broken: string[] = []

		const waits = await each(2 * names.length, 2 * names.length, async (n) => {
			const name = names[n >> 1] ?? ''
			const form = forms[name]
			if (!form) throw new Error('there are forms')
			const kind = n % 2 === 0 ? 'event' : 'turn'
			const path = `${kind}-${name}`
			const own = hits.get(path) ?? []
			const take = () => caller.take(speakers[kind], path, speakers[kind].event(nonce()))
			const first = await take()
			const until = performance.now() + asked + 3000
			if (kind === 'event') {
				if (first.heard !== 'accepted') broken.push(`${path}: heard ${first.heard}`)
				while (own.length < 2 && performance.now() < until) await wait(20)
				if (form.rests === mostOfEvents) {
					const line = gateway.lines.find(({ msg, route }) => msg === 'delivery' && route === path)
					if (own.length > 1) broken.push(`${path}: it was called again`)
					if (line?.nextIn !== mostOfEvents) broken.push(`${path}: the next attempt is in ${line?.nextIn} ms`)
					return undefined
				}
			} else {
				if (first.heard !== 'upstream-status') broken.push(`${path}: heard ${first.heard}`)
				const next = await take()
				const rests = next.heard === 'upstream-circuit-open'
				if (rests !== form.rests > 0) broken.push(`${path}: the next turn heard ${next.heard}`)
				const told = Number(next.answer.headers.find(([field]) => field === 'retry-after')?.[1]) * 1000
				const most = Math.min(mostOfTurns, form.rests + 1000)
				if (rests && !(told > 0 && told <= most)) broken.push(`${path}: the platform is told to wait ${told} ms`)
				if (form.rests === mostOfEvents) {
					if (told !== mostOfTurns) broken.push(`${path}: the platform is told to wait ${told} ms`)
					return undefined
				}
				while (own.length < 2 && performance.now() < until) {
					await wait(20)
					await take()
				}
			}
			const [one = 0, two] = own
			if (two === undefined) {
				broken.push(`${path}: it was never called again`)
				return undefined
			}
			const early = form.rests - (two - one)
			// The moments are of two processes.
			if (early > 5) broken.push(`${path}: called again ${early.toFixed(0)} ms too early`)
			return early
		})

		broken.push(...faultsOf(gateway))
		const measured = waits.filter((one) => one !== undefined).length
		const capped = gateway.lines.filter(({ nextIn }) => nextIn === mostOfEvents).length
		return {
			reached: `${names.length} forms for events and turns: ${measured} called again, none too early; ${capped} of ten years are tried again in 24 h, and turns are told 60 s`,
			broken,
		}
	},
}
