/** A platform with an API: the gateway's own JSON, with a token in the query of each call, and replies as calls. */
import * as v from 'valibot'
import { canonical } from '../../adapters/canonical/index.ts'
import {
	type CanonicalReply,
	compact,
	compactOrNone,
	defineAdapter,
	emptyReply,
	type Json,
	judgeStatus,
	type PushCall,
	type PushLeg,
} from '../../src/format/index.ts'

const Address = v.strictObject({ talk: v.string(), token: v.string() })

const carries: PushLeg['carries'] = {
	'reply.text': { chars: 100, notBlank: true },
	'reply.choices': { items: 3 },
	'reply.choice.title': { chars: 20 },
	'reply.control.close': {},
	'reply.control.handover': { values: ['department'] },
	'reply.control.handover.name': {},
}

const json = [['content-type', 'application/json']] as const

/** Texts as messages; a set of choices is a message; then a department by its name, which is looked up; then the end. */
function legOf(talk: string): PushLeg {
	const at = `/talks/${encodeURIComponent(talk)}`
	const say = (body: Json): PushCall => ({
		...{ method: 'POST', path: `${at}/messages`, headers: json, body: JSON.stringify(body) },
	})
	return {
		carries,
		encode({ messages, control = {} }) {
			const calls = messages.flatMap((message) => {
				if (message.type === 'text') return [say({ text: message.text })]
				if (message.type === 'choices') return [say({ labels: message.choices.map(({ title }) => title) })]
				return []
			})
			const { name = '' } = control.handover ?? {}
			if (control.handover) {
				const lookup = { path: '/departments', name }
				calls.push({ method: 'PUT', path: `${at}/department`, headers: json, body: '', lookup })
			}
			if (control.close) calls.push({ method: 'PUT', path: `${at}/close`, headers: [], body: '' })
			return calls
		},
		decode(calls) {
			const messages = calls.flatMap(({ method, body }): CanonicalReply['messages'] => {
				if (method !== 'POST') return []
				const { text, labels } = JSON.parse(body)
				if (text !== undefined) return [{ type: 'text', text }]
				return [{ type: 'choices', choices: labels.map((title: string) => ({ title, value: title })) }]
			})
			const { lookup } = calls.find((call) => call.lookup) ?? {}
			const close = calls.some(({ path }) => path.endsWith('/close')) || undefined
			const handover = lookup && compact({ to: 'department' as const, name: lookup.name || undefined })
			const control = compactOrNone({ close, handover })
			return { model: compact({ ...emptyReply, messages, control }), unread: [] }
		},
	}
}

/** `twoWay`: it reads answers as well. */
export const pushing = defineAdapter({
	name: 'pushing',
	options: v.strictObject({ api: v.optional(v.string()), twoWay: v.optional(v.boolean(), false) }),
	examples: [{ api: 'https://api.test', twoWay: true }],
	create({ api, twoWay }) {
		const own = canonical.create()
		const adapter = { ...own, reply: twoWay ? own.reply : () => undefined, deadline: 3000 }
		if (api === undefined) return adapter
		return {
			...adapter,
			push: {
				carries,
				address({ query }, { conversation: talk }) {
					const [, token] = query.find(([name]) => name === 'token') ?? []
					return talk === undefined || token === undefined ? undefined : { talk, token }
				},
				target(address) {
					const { talk, token } = v.parse(Address, address)
					return {
						...{ api, headers: [['authorization', `Bearer ${token}`]], leg: legOf(talk) },
						complete(call, { body }) {
							const found = JSON.parse(body).find(({ name }: { name: string }) => name === call.lookup?.name)
							return found && { ...call, body: JSON.stringify({ id: found.id }) }
						},
						judge: ({ status, body }) => judgeStatus(status, body === '' ? undefined : body),
					}
				},
			},
		}
	},
})
