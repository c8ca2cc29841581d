/** Replies of every kind, to every platform: each gets what it takes, and nothing is lost in silence. */
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import type { GenericSchema } from 'valibot'
import { limits as botdistrikt } from '../../../adapters/botdistrikt/limits.ts'
import { canonical } from '../../../adapters/canonical/index.ts'
import { limits as chatbotV1 } from '../../../adapters/chatbot-v1/limits.ts'
import { limits as chatbotV2 } from '../../../adapters/chatbot-v2/limits.ts'
import { limits as pingstreams } from '../../../adapters/pingstreams/limits.ts'
import { limits as snatchbotJsonApi } from '../../../adapters/snatchbot-json-api/limits.ts'
import { fitReply } from '../../../src/fit/index.ts'
import type { CanonicalReply, Turn } from '../../../src/model/index.ts'
import { canonicalEvents, canonicalReplies, hintsOf } from '../../arbitraries.ts'
import * as laws from '../../laws.ts'
import { pairing } from '../../pairing.ts'
import { answer } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import type { Row, Trial } from '../row.ts'
import { answered, callerOf, each, nonces, type Speaker, tally } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

/** The schemas of what platforms take; our own JSON is held against the model instead. */
const limits: { readonly [platform: string]: GenericSchema } = {
	botdistrikt: botdistrikt.reply,
	'chatbot-v1': chatbotV1.reply,
	'chatbot-v2': chatbotV2.reply,
	'snatchbot-json-api': snatchbotJsonApi.reply,
	pingstreams: pingstreams.reply,
}

const held = {
	'is read back as it was': laws.roundTrip,
	'is within the platform’s limits': laws.limits,
	'is changed in silence nowhere': laws.within,
	'has every word, or a change that names it': laws.conservation,
	'has no broken character': laws.graphemes,
	'does what the author said when it is pressed': pairing,
} as const

export const translations: Row = {
	id: 'C9',
	fault: 'Replies with texts, titles, lists and bodies that are too long or too many for a platform',
	demand:
		'100,000 random replies × every platform that reads answers: 100 % pass its limits and come back from its wire as they were fitted; every loss is reported, and stands in the log and the header',
	except: 'a release tries 40,000 replies × 7 formats, which are 280,000 answers; fewer are tried by hand',
	async run(trial) {
		const tried = inRandom(trial)
		const sent = await onTheWire(trial)
		return { reached: `${tried.reached}; ${sent.reached}`, broken: [...tried.broken, ...sent.broken] }
	},
}

/** Replies of all that there is, and of what means something to one of the formats. */
const replies = fc.oneof(
	...answered.map(({ platform, options, adapter }) => {
		const leg = adapter.reply({ kind: 'message', attributes: {} })
		return canonicalReplies(hintsOf(platform, options, leg ? [leg] : []))
	}),
)

function inRandom(trial: Trial): { reached: string; broken: string[] } {
	const numRuns = trial.at(100, 500, 40_000)
	let [judged, changed, named] = [0, 0, 0]
	const property = fc.property(canonicalEvents(), replies, (to, x) => {
		for (const { name, platform, adapter } of answered) {
			const leg = adapter.reply(laws.eventSide(adapter).fit(to).value)
			// A dialect that reads answers may not read those to every event.
			if (!leg) continue
			const side = laws.replySide(leg, limits[platform])
			const fitted = side.fit(x)
			for (const [what, holds] of Object.entries(held)) {
				try {
					holds({ ...side, fit: () => fitted }, x)
				} catch (cause) {
					throw new Error(`not so on ${name}: what is said ${what}`, { cause })
				}
			}
			judged++
			named += fitted.changes.length
			if (fitted.changes.length > 0) changed++
		}
	})
	// Without shrinking, which would take longer than the row may.
	const run = fc.check(property, { numRuns, seed: trial.seed, endOnFailure: true, includeErrorInReport: true })
	const broken = run.failed
		? [`${run.errorInstance}, path ${run.counterexamplePath}: ${causeOf(run.errorInstance)}`]
		: []
	if (judged < numRuns * answered.length * 0.5 && !run.failed) broken.push(`only ${judged} were judged`)
	return {
		reached: `${run.numRuns} replies × ${answered.length} formats, ${judged} answers held against limits, wire and words, ${changed} of them with ${named} changes that are named: ${run.failed ? 1 : 0} faults`,
		broken,
	}
}

function causeOf(error: unknown): string {
	return error instanceof Error && error.cause instanceof Error ? error.cause.message.slice(0, 500) : ''
}

/** Such replies through a gateway: the answer is the fitted one to the byte, and the log and the header have the changes. */
async function onTheWire(trial: Trial): Promise<{ reached: string; broken: string[] }> {
	const count = trial.at(50, 500, 5000)
	const own = canonical.create()
	const leg = own.reply({ kind: 'message', attributes: {} })
	if (!leg) throw new Error('our own JSON reads answers')
	const said = fc
		.sample(replies, { numRuns: count, seed: trial.seed })
		.map((reply) => fitReply(reply, leg, { turnId: 't', receivedAt: '2026-01-01T00:00:00.000Z' }).value)
	const nonce = nonces(trial.seed)
	const byNonce = new Map<string, CanonicalReply>(said.map((reply) => [nonce(), reply]))
	const told = new Map<string, Turn>()
	const upstream = await faultUpstream(trial, {
		says: {
			act(line, call) {
				told.set(call.nonce, JSON.parse(call.body).turn)
				const reply = byNonce.get(call.nonce)
				if (!reply) throw new Error(`nobody says ${call.nonce}`)
				return line.write(answer(leg.encode(reply).body))
			},
		},
	})
	const gateway = await startGateway(trial, {
		upstream: { url: upstream.at('says') },
		routes: answered.map((speaker) => speaker.route(speaker.name, { debug: true })),
	})
	const caller = callerOf(trial, gateway.url)
	const texts = [...byNonce.keys()]
	const turns = await each(count, 16, async (n) => {
		const [speaker, text] = [answered[n % answered.length], texts[n] ?? '']
		if (!speaker) throw new Error('there are platforms')
		const event = speaker.event(text)
		const { answer } = await caller.take(speaker, speaker.name, event)
		return { speaker, text, answer }
	})
	const logged = () => gateway.lines.filter(({ msg }) => msg === 'turn')
	for (let i = 0; i < 100 && logged().length < count; i++) await wait(50)
	const lines = new Map(logged().map((line) => [line.turn, line]))
	let losses = 0
	const came = turns.map(({ speaker, text, answer }) => {
		const [turn, reply] = [told.get(text), byNonce.get(text)]
		if (!turn || !reply) return 'never asked'
		const fitted = asFitted(speaker, text, reply, turn)
		const line = lines.get(turn.id)
		if (answer.status !== 200 || answer.body !== fitted.body) return `another answer on ${speaker.name}`
		const header = answer.headers.find(([name]) => name === 'dragoman-changes')?.[1]
		if (header === undefined || (header === 'none') !== (fitted.changes === 0)) return 'another header'
		const inLog = Array.isArray(line?.changes) ? line.changes.length + Number(line.moreChanges ?? 0) : 0
		if (inLog !== fitted.losses) return `${inLog} changes in the log for ${fitted.losses}`
		if (fitted.losses > 0) losses++
		return 'right'
	})
	const wrong = came.filter((one) => one !== 'right')
	const broken = faultsOf(gateway)
	if (wrong.length > 0) broken.push(`${wrong.length} of ${count} turns: ${tally(wrong)}`)
	if (losses === 0) broken.push('nothing was lost, so that nothing was told')
	return {
		reached: `${count} of them over HTTP: ${count - wrong.length} answers to the byte, with header and log line; ${losses} with losses`,
		broken,
	}
}

/** What the platform should get: its body, how many changes there are, and how many of them take something. */
function asFitted({ adapter, event }: Speaker, text: string, reply: CanonicalReply, { id, receivedAt }: Turn) {
	const { model } = adapter.event.decode(adapter.event.encode(event(text)))
	const leg = adapter.reply(model)
	if (!leg) throw new Error('the platform reads answers')
	const context = { turnId: id, receivedAt, remembers: model.conversation !== undefined }
	const { value, changes } = fitReply(reply, leg, context)
	const losses = changes.filter(({ did }) => did !== 'added').length
	return { body: leg.encode(value).body, changes: changes.length, losses }
}
