/** Keys to which JavaScript gives a meaning, at every depth of every format: refused, or gone, and no prototype is changed. */
import { GatewayError } from '../../../src/errors.ts'
import type { WireRequest } from '../../../src/format/index.ts'
import { demo } from '../../../src/upstream/index.ts'
import { samples } from '../../runtime/samples.ts'
import { callOf, platforms, routeOf } from '../calls.ts'
import { gatewayInside } from '../inside.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'

const hostileKeys = ['__proto__', 'constructor', 'prototype']
/** One of them as a key of a text that JSON.stringify wrote. */
const hostile = /"(?:__proto__|constructor|prototype)":/

/** What every object of this process has by itself. */
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
const ofPrototypes = (): string => prototypes.map((each) => Reflect.ownKeys(each).length).join()

/** Spelled plainly, and with an escape: to a parser they are the same. */
const spellings = hostileKeys.flatMap((key) => [key, `\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}`])
const contents = [
	'{"polluted":1}',
	'1',
	'"text"',
	'null',
	'[]',
	'{"prototype":{"polluted":1}}',
	'{"__proto__":{"polluted":1}}',
]

export const hostileKeyRow: Row = {
	id: 'D11',
	fault: '__proto__, constructor and prototype as keys, at every depth of calls, replies, forms and queries',
	demand: '10,000 placements in every format: no prototype changes, and the key goes to nobody',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const each = trial.at(500, 10_000, 10_000)
		const before = ofPrototypes()
		const broken: string[] = []
		let placed = 0
		let refused = 0

		const read = (what: string, text: string, decode: () => { readonly model: unknown }): void => {
			placed++
			try {
				if (hostile.test(JSON.stringify(decode().model))) broken.push(`${what} lets one in: ${text.slice(0, 200)}`)
			} catch (thrown) {
				refused++
				if (!(thrown instanceof GatewayError)) broken.push(`${what} throws ${thrown}: ${text.slice(0, 200)}`)
			}
			if (ofPrototypes() !== before || 'polluted' in {}) throw new Error(`${what} changes a prototype: ${text}`)
		}
		for (const { factory, events, replies } of samples) {
			for (let i = 0; i < each; i++) {
				const { wire, options } = oneOf(events, random)
				const call = placedIn(wire, random)
				read(`${factory.name}'s event`, call.body, () => factory.create(options).event.decode(call))
				if (replies.length === 0) continue
				const reply = oneOf(replies, random)
				const answer = { ...reply.wire, body: inJson(reply.wire.body, random) }
				const leg = factory.create(reply.options).reply({ kind: 'message', attributes: {}, ...reply.event })
				if (leg) read(`${factory.name}'s reply`, answer.body, () => leg.decode(answer))
			}
		}

		const told: string[] = []
		const config = {
			upstream: { url: 'builtin:demo' },
			routes: platforms.map((platform) => routeOf(platform, { raw: true })),
		}
		const gateway = gatewayInside(
			trial,
			config,
			{},
			{
				demo(call) {
					told.push(call.body)
					return demo(call)
				},
			},
		)
		for (const platform of platforms) {
			for (let i = 0; i < trial.at(20, 200, 1000); i++) {
				placed++
				await gateway.take(await callOf(platform, placedIn(platform.wire, random)))
			}
		}
		// A gateway that refuses every one tells nobody of any: then it is the calls that are not tried.
		if (told.length === 0) broken.push('the upstream is told of no call')
		const leaks = told.filter((body) => hostile.test(JSON.stringify(JSON.parse(body))))
		if (leaks.length > 0) broken.push(`the upstream is told of ${leaks.length}, the first: ${leaks[0]?.slice(0, 200)}`)
		if (ofPrototypes() !== before || 'polluted' in {}) broken.push('a prototype is changed')
		if (refused === 0) broken.push('nothing was refused: nothing was tried')
		return {
			reached: `${placed} placements, ${refused} refused, ${told.length} told to the upstream: ${broken.length} got through`,
			broken: broken.slice(0, 10),
		}
	},
}

/** The call with a hostile key in its body or, now and then, among the fields of its query. */
function placedIn(wire: WireRequest, random: () => number): WireRequest {
	const key = oneOf(hostileKeys, random)
	const field = oneOf(
		[key, `${key}[polluted]`, `a[${key}]`, `${key}.polluted`, `a.${key}.polluted`, `a[${key}][polluted]`],
		random,
	)
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
