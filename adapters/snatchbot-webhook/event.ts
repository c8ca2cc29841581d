/** The notice of one message: https://support.snatchbot.me/reference/webhooks */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	compact,
	type EventLeg,
	extractFields,
	type FieldMapping,
	insertFields,
	type Json,
	jsonRequest,
	matches,
	mergeQuery,
	namesOf,
	nonEmpty,
	readBodyValues,
	Timestamp,
} from '../../src/format/index.ts'

const name = 'snatchbot-webhook'

/** The documentation's text mentions the user's id, but its sample has none. */
const names: FieldMapping<'id'> = { id: ['user_id', 'userid', 'userId'] }

const Address = v.pipe(v.string(), v.regex(/^[\dA-Fa-f.:]{2,45}$/))

/** What only this webhook says: an IP address. The documentation does not say whose. */
const Native = v.strictObject({ ip: Address })
const OptionalNative = v.optional(Native)

export const event: EventLeg = {
	carries: {
		'event.kind': { values: ['notice'] },
		'event.occurredAt': { required: true },
		'event.sender': { required: true, values: ['unknown'] },
		'event.user.id': {},
		'event.text': {},
		'event.attributes': { reserved: ['time', 'data', 'ip', ...namesOf(names)] },
	},
	native: { name, schema: Native },

	decode(call) {
		const { values, unread: hidden } = mergeQuery(call, readBodyValues(call))
		const { time, data, ip, ...others } = values
		const { fields, rest, unread } = extractFields(names, others, [])
		const occurredAt = decodeTime(time)
		const address = matches(Address, ip) ? ip : undefined
		return {
			model: compact<CanonicalEvent>({
				kind: 'notice',
				occurredAt,
				sender: 'unknown',
				user: fields.id === undefined ? undefined : { id: fields.id, attributes: {} },
				text: decodeData(data),
				attributes: rest,
				extensions: address === undefined ? undefined : { [name]: { ip: address } },
			}),
			unread: [
				...hidden,
				...unread,
				...(occurredAt === undefined && says(time) ? ['time'] : []),
				...(address === undefined && says(ip) ? ['ip'] : []),
			],
		}
	},

	encode({ occurredAt, user, text, attributes, extensions }) {
		const native = v.parse(OptionalNative, extensions?.[name])
		return jsonRequest({
			// As the page's sample has it, apostrophe and all: a server written after it may cut the last character off.
			time: `${occurredAt}'`,
			data: JSON.stringify(text ?? ''),
			ip: native?.ip ?? '',
			...insertFields(names, attributes, { id: user?.id }),
		})
	},
}

/** The time in front of whatever else stands there. */
function decodeTime(time: Json | undefined): string | undefined {
	const [leading = ''] = /^[\d\sT:.+\-Z]+/.exec(typeof time === 'string' ? time : '') ?? []
	const candidate = leading.trim()
	return matches(Timestamp, candidate) ? candidate : undefined
}

/** The sample has the text as JSON in a string: `"\"awesome\""`. Whatever is not a string once more is the text itself. */
function decodeData(data: Json | undefined): string | undefined {
	if (!says(data)) return undefined
	if (typeof data !== 'string') return JSON.stringify(data)
	if (!/^\s*"/.test(data)) return data
	try {
		return nonEmpty(v.parse(v.string(), JSON.parse(data)))
	} catch {
		return data
	}
}

function says(value: Json | undefined): value is NonNullable<Json> {
	return value !== undefined && value !== null && value !== ''
}
