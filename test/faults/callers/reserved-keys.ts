/** Keys to which JavaScript gives a meaning, at every depth of every format: refused, or gone, and no prototype is changed. */

import { GatewayError } from '../../../src/errors.ts'
import type { WireRequest } from '../../../src/format/index.ts'
import { demo } from '../../../src/upstream/index.ts'
import { fixturesOf, oneEach } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { none, type Row, unless } from '../row.ts'

const keys = ['__proto__', 'constructor', 'prototype']
/** One of them as a key of a text that JSON.stringify wrote. */
const reserved = /"(?:__proto__|constructor|prototype)":/

/** What every object of this process has by itself. */
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
const ofPrototypes = (): string => prototypes.map((each) => Reflect.ownKeys(each).length).join()

/** Spelled plainly, and with an escape: to a parser they are the same. */
const spellings = keys.flatMap((key) => [key, `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}`])
const contents = [
	...['{"polluted":1}', '1', '"text"', 'null', '[]', '{"prototype":{"polluted":1}}', '{"__proto__":{"polluted":1}}'],
]

export const reservedKeys: Row = {
	id: 'D11',
	fault: '__proto__, constructor and prototype as keys, at every depth of calls, replies, forms and queries',
	demand: '10,000 placements in every format: no prototype changes, and the key goes to no upstream',
	async run(trial) {
		const { random } = trial
		const before = ofPrototypes()
		const broken: string[] = []
		let placed = 0
		let refused = 0
		const read = (what: string, text: string, decode: () => { readonly model: unknown }): void => {
			placed++
			try {
				if (reserved.test(JSON.stringify(decode().model))) broken.push(`${what} lets one in: ${text.slice(0, 200)}`)
			} catch (thrown) {
				refused++
				if (!(thrown instanceof GatewayError)) broken.push(`${what} throws ${thrown}: ${text.slice(0, 200)}`)
			}
			if (ofPrototypes() !== before || 'polluted' in {}) throw new Error(`${what} changes a prototype: ${text}`)
		}
		for (const { factory } of oneEach) {
			const { event: events, reply, badReply } = fixturesOf(factory)
			const replies = [...reply, ...badReply]
			for (let i = 0; i < trial.at(500, 10_000, 10_000); i++) {
				const { wire, options } = oneOf(events, random)
				const call = placedIn(wire, random)
				read(`${factory.name}'s event`, call.body, () => factory.create(options).event.decode(call))
				if (replies.length === 0) continue
				const answered = oneOf(replies, random)
				const answer = { ...answered.wire, body: inJson(answered.wire.body, random) }
				const leg = factory.create(answered.options).reply(answered.event)
				if (leg) read(`${factory.name}'s reply`, answer.body, () => leg.decode(answer))
			}
		}

		const told: string[] = []
		const config = {
			upstream: { url: 'builtin:demo' },
			routes: oneEach.map((platform) => platform.route({ raw: true })),
		}
		const gateway = await trial.start(config, {
			as: 'inside',
			demo(call) {
				told.push(call.body)
				return demo(call)
			},
		})
		for (const { name, wire } of oneEach) {
			for (let i = 0; i < trial.at(20, 200, 1000); i++) {
				placed++
				await gateway.send({ ...placedIn(wire, random), path: `/${name}` })
			}
		}
		const leaks = told.filter((body) => reserved.test(JSON.stringify(JSON.parse(body))))
		return {
			reached: `${placed} placements, ${refused} rejected, ${told.length} calls to the upstream: ${broken.length + leaks.length} got through`,
			broken: [
				...broken,
				// A gateway that refuses every one passes on none: then it is the calls that are not tried.
				...unless(told.length > 0, 'the upstream is told of no call'),
				...none(leaks.length, `were passed on, the first: ${leaks[0]?.slice(0, 200)}`),
				...unless(ofPrototypes() === before && !('polluted' in {}), 'a prototype is changed'),
				...unless(refused > 0, 'nothing was refused: nothing was tried'),
			],
		}
	},
}

/** The call with a reserved key in its body or, now and then, among the fields of its query. */
function placedIn(wire: WireRequest, random: () => number): WireRequest {
	const key = oneOf(keys, random)
	const fields = [key, `${key}[polluted]`, `a[${key}]`, `${key}.polluted`, `a.${key}.polluted`, `a[${key}][polluted]`]
	const field = oneOf(fields, random)
	if (random() < 0.1) return { ...wire, query: [...wire.query, [field, '1']] }
	if (wire.body.startsWith('{')) return { ...wire, body: inJson(wire.body, random) }
	return { ...wire, body: `${wire.body}${wire.body === '' ? '' : '&'}${encodeURIComponent(field)}=1` }
}

/** The text with a member put at the start or at the end of one of its objects; without objects, as it is. */
function inJson(text: string, random: () => number): string {
	const at: number[] = []
	let quoted = false
	for (let i = 0; i < text.length; i++) {
		if (text[i] === '\\') i++
		else if (text[i] === '"') quoted = !quoted
		else if (!quoted && (text[i] === '{' || text[i] === '}')) at.push(i)
	}
	if (at.length === 0) return text
	const place = oneOf(at, random)
	const member = `"${oneOf(spellings, random)}":${oneOf(contents, random)}`
	if (text[place] === '{') {
		const comma = /^\s*\}/.test(text.slice(place + 1)) ? '' : ','
		return `${text.slice(0, place + 1)}${member}${comma}${text.slice(place + 1)}`
	}
	const comma = /\{\s*$/.test(text.slice(0, place)) ? '' : ','
	return `${text.slice(0, place)}${comma}${member}${text.slice(place)}`
}
