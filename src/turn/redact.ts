/** Removes secrets from what is shown or passed on: by their values where known, else by the names that platforms give them. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import {
	bodyAsJson,
	type Fields,
	fieldPath,
	isForm,
	readForm,
	type WireRequest,
	type WireResponse,
} from '../format/index.ts'
import {
	type CanonicalEvent,
	type CanonicalReply,
	type Change,
	type EventFeature,
	eventFeatures,
	Json,
} from '../model/index.ts'
import type { Delivery, PushDelivery, Runtime } from '../runtime.ts'
import { partsOfPath } from './path-namer.ts'
import { createSecretFinder, type SecretFinder } from './secret-finder.ts'
import { suggestsSecret } from './secret-names.ts'

/** What is in the place of a secret. */
export const redacted = '[redacted]'

/** The value with every secret replaced, at every depth. */
function redact(value: Json, hasSecret: SecretFinder): Json {
	if (typeof value === 'string') return hasSecret(value) ? redacted : value
	if (typeof value === 'number') return hasSecret(String(value)) ? redacted : value
	if (Array.isArray(value)) return value.map((item) => redact(item, hasSecret))
	if (typeof value !== 'object' || value === null) return value
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => [
			hasSecret(name) ? redacted : name,
			suggestsSecret(name) ? redacted : redact(member, hasSecret),
		]),
	)
}

function redactFields(fields: Fields, hasSecret: SecretFinder): Json {
	return fields.map(([name, value]) => [
		hasSecret(name) ? redacted : name,
		suggestsSecret(name) || hasSecret(value) ? redacted : value,
	])
}

/** A call as data: method, query, and the body if it is JSON or a form. Without headers, and without what contains one of these secrets. */
export function redactCall(call: WireRequest, secrets: readonly string[]): Json {
	return describeCall(call, createSecretFinder(secrets))
}

/** As `redactCall`, for secrets that are looked for often. */
export function describeCall(call: WireRequest, hasSecret: SecretFinder): Json {
	return { method: call.method, query: redactFields(call.query, hasSecret), body: redactBody(call, hasSecret) }
}

/** An event or a reply as data, without what contains a secret or has the name of one. */
export function redactModel(value: CanonicalEvent | CanonicalReply, hasSecret: SecretFinder): Json {
	const { success, output } = v.safeParse(Json, value)
	return success ? redact(output, hasSecret) : redacted
}

/** An answer as data: its status, and its body, as JSON if it is that. Without headers, and without what contains a secret. */
export function describeResponse(response: WireResponse, hasSecret: SecretFinder): Json {
	return { status: response.status, body: redactAnyBody(response, hasSecret) }
}

/** The calls that push a reply as data: without headers, and without what contains a secret. */
export function describePushes(pushes: readonly PushDelivery[], hasSecret: SecretFinder): Json {
	return pushes.map(({ call }) => {
		const { method, path, lookup } = call
		const described = { method, path: redact(path, hasSecret), body: redactAnyBody(call, hasSecret) }
		return lookup ? { ...described, lookup: redact({ ...lookup }, hasSecret) } : described
	})
}

/** What is delivered, as operators may see it: without addresses, which hold tokens, and without what has the name of a secret. */
export function redactDelivery(delivery: Delivery): Json {
	const noSecret = () => false
	const { id, route, platform, receivedAt, conversation = null } = delivery
	const about = { id, route, platform, receivedAt, conversation }
	if ('call' in delivery) {
		const { method, path, headers, body, lookup = null } = delivery.call
		const call = { method, path, body: redactBody({ method, query: [], headers, body }, noSecret) }
		return { ...about, address: redacted, call: lookup === null ? call : { ...call, lookup: { ...lookup } } }
	}
	const { request, answer } = delivery
	const described = { ...about, request: describeCall(request, noSecret) }
	if (!answer) return described
	const { held = false } = answer
	return { ...described, answer: { address: redacted, held, event: redact(v.parse(Json, answer.event), noSecret) } }
}

function redactBody(call: WireRequest, hasSecret: SecretFinder): Json {
	try {
		return redact(isForm(call) ? readForm(call) : bodyAsJson(call), hasSecret)
	} catch {
		return redacted
	}
}

function redactAnyBody(message: Pick<WireResponse, 'body'>, hasSecret: SecretFinder): Json {
	try {
		return redact(bodyAsJson(message), hasSecret)
	} catch {
		return redact(message.body, hasSecret)
	}
}

/** UTF-16 units of a body that are searched in one go: a millisecond or two, whatever they are. */
const sliceLength = 128 * 1024

/** UTF-16 units that two slices share: more than any spelling of a secret has. */
const overlap = 4096

/** Whether the query or the body of a request contains a secret. Lets other calls run between the slices of a large body. */
export function containsSecret(
	{ query, body }: WireRequest,
	hasSecret: SecretFinder,
	{ letOthersRun }: Pick<Runtime, 'letOthersRun'>,
): boolean | Promise<boolean> {
	if (query.some(([name, value]) => hasSecret(name) || hasSecret(value))) return true
	return body.length <= sliceLength ? hasSecret(body) : isInSlices(body, hasSecret, letOthersRun)
}

async function isInSlices(
	body: string,
	hasSecret: SecretFinder,
	letOthersRun: Runtime['letOthersRun'],
): Promise<boolean> {
	for (let at = 0; at < body.length - overlap; at += sliceLength - overlap) {
		if (hasSecret(body.slice(at, at + sliceLength))) return true
		await letOthersRun()
	}
	return false
}

type Keys = readonly (string | number)[]

/**
 * The event with every text and every key that contains a secret replaced, and the changes that this made. Names are not
 * looked at: an attribute may be called a token, and is still what the backend needs.
 */
export function redactEvent(
	event: CanonicalEvent,
	hasSecret: SecretFinder,
): { readonly event: CanonicalEvent; readonly changes: readonly Change[] } {
	const changes: Change[] = []
	const replace = (path: Keys): string => {
		const shown = path.map((key) => (typeof key === 'string' && hasSecret(key) ? redacted : key))
		changes.push({
			path: fieldPath(shown),
			feature: featureOf(path),
			did: 'converted',
			detail: 'a secret of the gateway is redacted',
		})
		return redacted
	}
	const visit = (value: unknown, path: Keys): unknown => {
		if (typeof value === 'string') return !isOfModel(path) && hasSecret(value) ? replace(path) : value
		if (typeof value === 'number') return isFree(path) && hasSecret(String(value)) ? replace(path) : value
		if (Array.isArray(value)) return value.map((item, i) => visit(item, [...path, i]))
		if (typeof value !== 'object' || value === null) return value
		return Object.fromEntries(
			Object.entries(value).map(([name, member]) => [
				hasSecret(name) ? replace([...path, name]) : name,
				visit(member, [...path, name]),
			]),
		)
	}
	const visited = Object.fromEntries(Object.entries(event).map(([name, member]) => [name, visit(member, [name])]))
	return { event: { ...event, ...visited }, changes }
}

/** Members with words of the model, which may be a short secret as well. */
function isOfModel(path: Keys): boolean {
	const [first, ...others] = path
	if (others.length === 0) return first === 'kind' || first === 'sender' || first === 'occurredAt'
	const last = others.at(-1)
	return (first === 'media' && last === 'kind') || (first === 'defaultReply' && (last === 'type' || last === 'height'))
}

/** Where the model takes any value. */
function isFree([first, ...others]: Keys): boolean {
	return (
		first === 'attributes' || first === 'extensions' || others.includes('attributes') || others.includes('parameters')
	)
}

const features: ReadonlySet<string> = new Set(eventFeatures)

/** The narrowest feature that a path is in. */
function featureOf(path: Keys): EventFeature {
	const names = path.filter((key) => typeof key === 'string')
	for (let length = names.length; length > 0; length--) {
		const feature = ['event', ...names.slice(0, length)].join('.')
		if (isEventFeature(feature)) return feature
	}
	return 'event'
}

function isEventFeature(name: string): name is EventFeature {
	return features.has(name)
}

/** A path whose keys with a secret in them are replaced. */
export function redactPath(path: string, hasSecret: SecretFinder): string {
	if (!hasSecret(path)) return path
	const replaced = path.replace(partsOfPath, (part) => (hasSecret(part) ? redacted : part))
	return hasSecret(replaced) ? redacted : replaced
}

/** The error without secrets in the paths that it shows to the caller. */
export function redactError(error: GatewayError, hasSecret: SecretFinder): GatewayError {
	const { field = '', changes = [], mistakes = [] } = error.context
	const paths = [field, ...changes, ...mistakes.map((mistake) => mistake.field)]
	if (!paths.some(hasSecret)) return error
	const context = {
		...error.context,
		...(error.context.field !== undefined && { field: redactPath(field, hasSecret) }),
		...(error.context.mistakes && {
			mistakes: mistakes.map((mistake) => ({ ...mistake, field: redactPath(mistake.field, hasSecret) })),
		}),
		...(error.context.changes && { changes: changes.map((each) => redactPath(each, hasSecret)) }),
	}
	return new GatewayError(error.code, context, { cause: error.cause, unsent: error.unsent })
}
