/** Replies of every kind, to every platform: each gets what it takes, and nothing is lost in silence. */

import fc from 'fast-check'
import { fitReply } from '../../../src/fit/index.ts'
import { type CanonicalReply, relativeAddressesOf, type Turn as TurnContext } from '../../../src/model/index.ts'
import { canonicalReplies, hintsOf } from '../../arbitraries.ts'
import { header } from '../../harness/http.ts'
import { answered, own } from '../../harness/platforms.ts'
import { until } from '../../until.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, unless } from '../row.ts'
import { each, nonceOf, nth, type Turn, tally, turnsWith } from '../turns.ts'

/** Replies of all that there is, and of what means something to one of the formats; the gateway refuses relative addresses. */
const replies = fc
	.oneof(
		...answered.map(({ factory, options, adapter }) => {
			const leg = adapter.reply({ kind: 'message', attributes: {} })
			return canonicalReplies(hintsOf(factory.name, options, leg ? [leg] : []))
		}),
	)
	.filter((reply) => relativeAddressesOf(reply).length === 0)

export const translations: Row = {
	id: 'C9',
	fault: 'Replies with texts, titles, lists and bodies that are too long or too many for a platform',
	demand:
		'5,000 random replies over HTTP: every answer equals the fitted reply, byte for byte; every loss is reported in the log and the header',
	async run(trial) {
		const count = trial.at(50, 500, 5000)
		const leg = own.adapter.reply({ kind: 'message', attributes: {} })
		if (!leg) throw new Error('our own JSON reads answers')
		const context = { turnId: 't', receivedAt: '2026-01-01T00:00:00.000Z' }
		const said = new Map(
			fc
				.sample(replies, { numRuns: count, seed: trial.seed })
				.map((reply) => [trial.nonce(), fitReply(reply, leg, context).value]),
		)
		const contexts = new Map<string, TurnContext>()
		const upstream = await trial.upstream((call) => {
			contexts.set(nonceOf(call), JSON.parse(call.body).turn)
			const reply = said.get(nonceOf(call))
			if (!reply) throw new Error(`there is no reply to ${call.body}`)
			return leg.encode(reply)
		})
		const gateway = await trial.start({
			upstream: { url: upstream.url },
			routes: answered.map((platform) => platform.route({ debug: true })),
		})
		const take = turnsWith(trial, gateway)
		const texts = [...said.keys()]
		const turns = await each(count, 16, (n) => take(nth(answered, n), undefined, { text: nth(texts, n) }))
		const lines = () => gateway.lines.filter(({ msg }) => msg === 'turn')
		await until(() => lines().length >= count, 5000)
		const logged = new Map(lines().map((line) => [line.turn, line]))
		let losses = 0
		const faults = turns.flatMap((turn) => {
			const [context, reply] = [contexts.get(turn.text), said.get(turn.text)]
			if (!context || !reply) return ['never asked']
			const fitted = asFitted(turn, reply, context)
			const line = logged.get(context.id)
			if (fitted.losses > 0) losses++
			const inHeader = header(turn.answer, 'dragoman-changes')
			const inLog = Array.isArray(line?.changes) ? line.changes.length + Number(line.moreChanges ?? 0) : 0
			const { status, body } = turn.answer
			return [
				...unless(status === 200 && body === fitted.body, `another answer on ${turn.platform.name}`),
				...unless(inHeader !== undefined && (inHeader === 'none') === (fitted.changes === 0), 'another header'),
				...unless(inLog === fitted.losses, `${inLog} changes in the log for ${fitted.losses}`),
			]
		})
		return {
			reached: `${count} replies to ${answered.length} platforms: ${faults.length} answers, headers or log lines not as fitted; ${losses} with losses`,
			broken: [
				...faultsOf(gateway),
				...none(faults.length, `faults in ${count} turns: ${tally(faults)}`),
				...unless(losses > 0, 'nothing was lost, so that nothing was told'),
			],
		}
	},
}

/** What the platform should get: its body, how many changes there are, and how many of them take something. */
function asFitted({ platform: { adapter }, event }: Turn, reply: CanonicalReply, { id, receivedAt }: TurnContext) {
	const { model } = adapter.event.decode(adapter.event.encode(event))
	const leg = adapter.reply(model)
	if (!leg) throw new Error('the platform reads answers')
	const context = { turnId: id, receivedAt, decodedFrom: own.name, remembers: model.conversation !== undefined }
	const { value, changes } = fitReply(reply, leg, context)
	const losses = changes.filter(({ did }) => did !== 'added').length
	return { body: leg.encode(value).body, changes: changes.length, losses }
}
