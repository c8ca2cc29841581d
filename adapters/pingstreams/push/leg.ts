/** A reply as calls of the API: messages first, then what is set, then who joins and leaves, then who takes over. */
import * as v from 'valibot'
import {
	Attributes,
	type CanonicalReply,
	compact,
	compactOrNone,
	fieldPath,
	type Json,
	type Message,
	matches,
	NonEmpty,
	nonEmptyList,
	type Path,
	type PushCall,
	type PushLeg,
	readJson,
	validate,
	WireFlag,
} from '../../../src/format/index.ts'
import { type Dialect, name } from '../dialect.ts'
import type { Options } from '../options.ts'
import { type Control, unassigned } from '../reply/actions.ts'
import {
	decodeMessage,
	type EncodedMessage,
	encodeMessage,
	type MessageContext,
	unreadParts,
	WireMessage,
} from '../reply/message.ts'
import { Hidden, Markup } from '../reply/script.ts'
import { pushCarries } from './carries.ts'
import { toDepartment } from './department.ts'
import { botPrefix, Native, refinePushed } from './refine.ts'

/** A conversation, and what its messages depend on. */
export interface Place {
	readonly project: string
	readonly conversation: string
	readonly dialect: Dialect
	/** The bot that was called. */
	readonly bot?: string | undefined
	/** The intent that receives the value of a pressed button. */
	readonly home?: string | undefined
	/** The channel of the user. Absent: the widget on the web. */
	readonly channel?: string | undefined
}

/** The colour that the platform's own bots give to tags. */
const tagColor = '#f0806f'

/** The leg of pushes to one conversation. */
export function pushLeg(options: Options, place: Place): PushLeg {
	const { caption } = options
	const project = `/${encodeURIComponent(place.project)}`
	const base = `${project}/requests/${encodeURIComponent(place.conversation)}`
	const context: MessageContext = { dialect: place.dialect, caption, home: place.home, asWritten: false }
	const call = (method: string, path: string, body?: object): PushCall => ({
		method,
		path: base + path,
		headers: body ? [['content-type', 'application/json']] : [],
		body: body ? JSON.stringify(body) : '',
	})

	function encodeHandover({ to, id, name }: NonNullable<Control['handover']>): PushCall {
		switch (to) {
			case 'human':
				return id === unassigned ? call('PUT', '/participants', []) : call('PUT', '/agent')
			case 'department': {
				const routed = call('PUT', '/departments', toDepartment(id))
				return id === undefined && name !== undefined
					? { ...routed, lookup: { path: `${project}/departments`, name } }
					: routed
			}
			case 'bot':
				return call('PUT', '/replace', encodeBot(id, name))
		}
	}

	return {
		carries: pushCarries(options, place),
		native: { name, schema: Native },

		decode(calls) {
			const read: Read = { messages: [], hidden: [], add: [], remove: [], control: {}, session: {}, unread: [] }
			for (const [i, each] of calls.entries()) {
				const isHere = each.path === base || each.path.startsWith(`${base}/`)
				const body = each.body === '' ? undefined : readJson(each.body)
				const isRead =
					isHere && decodeCall({ ...each, path: each.path.slice(base.length), body }, [i, 'body'], read, context)
				if (!isRead) read.unread.push(fieldPath([i]))
			}
			const { messages, text, hidden, add, remove, control, session, unread } = read
			const native = compactOrNone<Native>({ text, hidden: nonEmptyList(hidden) })
			const participants = compactOrNone({ add: nonEmptyList(add), remove: nonEmptyList(remove) })
			return {
				model: compact<CanonicalReply>({
					messages,
					attributes: { session, user: {} },
					control: compactOrNone<Control>({ ...control, participants }),
					overrides: native && { [name]: native },
				}),
				unread,
			}
		},

		encode({ messages, attributes, control = {}, overrides }) {
			const { text, hidden = [] }: Native = v.parse(v.optional(Native), overrides?.[name]) ?? {}
			const { blockInput, tags, participants, handover, close } = control
			const said = messages.map((message) => encodeMessage(message, context))
			if (text !== undefined) said.push({ type: 'text', text, attributes: { microlanguage: true } })
			const spoken = blockInput ? withBlockedInput(said) : said
			return [
				...[...spoken, ...hidden.map(encodeHidden)].map((message) => call('POST', '/messages', message)),
				...(Object.keys(attributes.session).length > 0 ? [call('PATCH', '/attributes', attributes.session)] : []),
				...(tags ? [call('PATCH', '', { tags: tags.map((tag) => ({ tag, color: tagColor })) })] : []),
				...(participants?.add ?? []).map((member) => call('POST', '/participants', { member })),
				...(participants?.remove ?? []).map((id) => call('DELETE', `/participants/${encodeURIComponent(id)}`)),
				...(handover ? [encodeHandover(handover)] : []),
				...(close ? [call('PUT', '/close', {})] : []),
			]
		},

		refine: refinePushed({ caption, bot: place.bot, encode: (message) => encodeMessage(message, context) }),
	}
}

function encodeHidden({ subtype, text }: Hidden): EncodedMessage {
	return { type: 'text', text, attributes: { subtype } }
}

/** The last message is what blocks the input. */
function withBlockedInput(said: readonly EncodedMessage[]): EncodedMessage[] {
	return said.map((message, i) =>
		i < said.length - 1 ? message : { ...message, attributes: { ...message.attributes, disableInputMessage: true } },
	)
}

/** An id is a participant's in the model and a bare one here; without the prefix it is a slug. */
function encodeBot(id: string | undefined, name: string | undefined): object {
	if (id === undefined) return { name }
	return id.startsWith(botPrefix) && id !== botPrefix ? { id: id.slice(botPrefix.length) } : { slug: id }
}

/** What the calls said so far. */
interface Read {
	readonly messages: Message[]
	/** The first text that asks for markup. */
	text?: string
	readonly hidden: Hidden[]
	readonly add: string[]
	readonly remove: string[]
	control: Control
	session: Attributes
	readonly unread: string[]
}

/** A call of this conversation: `path` stands behind it. */
type Received = Omit<PushCall, 'body'> & { readonly body: Json | undefined }

const PushedMessage = v.object({
	...WireMessage.entries,
	attributes: v.nullish(v.object({ ...WireMessage.entries.attributes.wrapped.entries, microlanguage: WireFlag })),
})
const Tags = v.object({ tags: v.array(v.object({ tag: NonEmpty, color: v.optional(v.unknown()) })) })
const Member = v.object({ member: NonEmpty })
const Department = v.object({ departmentid: v.optional(NonEmpty), nobot: v.optional(v.unknown()) })
const Bot = v.object({ id: v.optional(NonEmpty), name: v.optional(NonEmpty), slug: v.optional(NonEmpty) })
const Nothing = v.object({})

/** Reads a call into `read`. False: it has no meaning, or none that is not taken already. */
function decodeCall({ method, path, body, lookup }: Received, at: Path, read: Read, context: MessageContext): boolean {
	const [, what = '', last, ...more] = path.split('/')
	if (more.length > 0 || (last !== undefined && `${method} ${what}` !== 'DELETE participants')) return false
	function parsed<S extends v.GenericSchema>(schema: S): v.InferOutput<S> {
		const { wire, unread } = validate(schema, body, at)
		read.unread.push(...unread)
		return wire
	}
	switch (`${method} ${what}`) {
		case 'POST messages':
			decodeSaid(parsed(PushedMessage), at, read, context)
			return true
		case 'PATCH attributes':
			read.session = { ...read.session, ...parsed(Attributes) }
			return true
		case 'PATCH ': {
			const tags = nonEmptyList(parsed(Tags).tags.map(({ tag }) => tag))
			return tags !== undefined && set(read, { tags })
		}
		case 'POST participants':
			read.add.push(parsed(Member).member)
			return true
		case 'DELETE participants': {
			const id = decoded(last)
			if (id) read.remove.push(id)
			return Boolean(id)
		}
		case 'PUT participants':
			return parsed(v.array(NonEmpty)).length === 0 && set(read, { handover: { to: 'human', id: unassigned } })
		case 'PUT agent':
			return set(read, { handover: { to: 'human' } })
		case 'PUT departments': {
			const { departmentid: id } = parsed(Department)
			const department = id === undefined ? lookup && { name: lookup.name } : { id }
			return department !== undefined && set(read, { handover: { to: 'department', ...department } })
		}
		case 'PUT replace': {
			const { id, name, slug } = parsed(Bot)
			const bot =
				id !== undefined
					? { id: botPrefix + id }
					: name !== undefined
						? { name }
						: slug !== undefined
							? { id: slug }
							: undefined
			return bot !== undefined && set(read, { handover: { to: 'bot', ...bot } })
		}
		case 'PUT close':
			parsed(Nothing)
			return set(read, { close: true })
		default:
			return false
	}
}

/** Adds to the control. False: that part is taken. */
function set(read: Read, part: Control): boolean {
	if (Object.keys(part).some((key) => Object.hasOwn(read.control, key))) return false
	read.control = { ...read.control, ...part }
	return true
}

function decoded(segment: string | undefined): string | undefined {
	try {
		return segment && decodeURIComponent(segment)
	} catch {
		return undefined
	}
}

function decodeSaid(wire: v.InferOutput<typeof PushedMessage>, at: Path, read: Read, context: MessageContext): void {
	const { microlanguage, attachment, subtype, disableInputMessage } = wire.attributes ?? {}
	if (disableInputMessage) read.control = { ...read.control, blockInput: true }
	const hidden = v.safeParse(Hidden, { subtype, text: wire.text })
	if (hidden.success) {
		read.hidden.push(hidden.output)
		return
	}
	const ignored = [...(subtype ? ['subtype'] : [])]
	read.unread.push(...unreadParts(wire, at, context))
	if (microlanguage && !attachment && read.text === undefined && matches(Markup, wire.text)) read.text = wire.text
	else {
		read.messages.push(...decodeMessage(wire, context))
		if (microlanguage) ignored.push('microlanguage')
	}
	read.unread.push(...ignored.map((key) => fieldPath([...at, 'attributes', key])))
}
