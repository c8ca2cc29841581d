/**
 * Replies through the platform's API, with the token of the call:
 * https://pingstreams-website.pages.dev/docs/developer/apis/rest-apis/messages-mdx and requests_mdx.
 */
import * as v from 'valibot'
import {
	bodyAsJson,
	type CanonicalEvent,
	compact,
	type Json,
	matches,
	NonEmpty,
	type Push,
	validate,
	type WireRequest,
} from '../../../src/format/index.ts'
import { Dialect, dialectOf } from '../dialect.ts'
import type { Options } from '../options.ts'
import { pushCarries } from './carries.ts'
import { withDepartment } from './department.ts'
import { judge } from './judge.ts'
import { pushLeg } from './leg.ts'

/** One segment of a path. A parser of URLs takes dots, however they are encoded, for a step up. */
const Segment = v.pipe(
	v.string(),
	v.regex(/^(?!\.{1,2}$)/),
	v.minLength(1),
	v.maxLength(500),
	v.check((text) => text.isWellFormed()),
)

const Address = v.object({
	project: Segment,
	conversation: Segment,
	token: v.pipe(v.string(), v.regex(/^[\w.~+/=-]{1,8192}$/)),
	dialect: Dialect,
	/** The id of the bot that was called. */
	bot: v.optional(NonEmpty),
	/** The intent that called, and receives the values of pressed buttons. */
	home: v.optional(NonEmpty),
	channel: v.optional(NonEmpty),
})
type Address = v.InferOutput<typeof Address>

const WithToken = v.object({ token: v.string() })

/** Pushes to the API of this base URL. */
export function pushTo(api: string, options: Options): Push {
	return {
		carries: pushCarries(options, {}),

		address(call, event) {
			const address = { ...addressOf(call, event), dialect: dialectOf(event, options.dialect) }
			return matches(Address, address) && isAnswerable(address, event) ? compact<Address>(address) : undefined
		},

		target(address: Json) {
			const to = validate(Address, address).wire
			return {
				api: api.replace(/\/$/, ''),
				headers: [['authorization', `JWT ${to.token}`]],
				leg: pushLeg(options, to),
				complete: withDepartment,
				judge: judge(to.token),
			}
		},
	}
}

function addressOf(call: WireRequest, { bot, conversation, trigger, channel }: CanonicalEvent): object {
	const body = bodyAsJson(call)
	return {
		project: bot?.project,
		conversation,
		token: matches(WithToken, body) ? bareToken(body.token) : undefined,
		bot: bot?.id,
		home: trigger?.kind === 'intent' ? trigger.name : undefined,
		channel,
	}
}

/** The token without its scheme: calls have it bare, and libraries write it in front. */
function bareToken(token: string): string {
	return token.trim().replace(/^(?:jwt\s+)+/i, '')
}

/**
 * A flow that runs without a conversation has no user. What a subscription reports of bots, agents and the platform is no
 * question: an answer to it would be reported, and answered, again.
 */
function isAnswerable({ conversation, dialect }: Address, { kind }: CanonicalEvent): boolean {
	return !conversation.startsWith('automation-request-') && (dialect !== 'subscription' || kind !== 'notice')
}
