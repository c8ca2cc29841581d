/** A broken law in words: what was lost or changed, where, and with which smallest value. */
import fc from 'fast-check'
import * as v from 'valibot'
import { GatewayError } from '../src/errors.ts'
import { fieldPath } from '../src/format/index.ts'
import { eventFeatures, type Feature, replyFeatures } from '../src/model/index.ts'
import { describeExpected, pathOf } from '../src/schema/index.ts'

type Path = readonly (string | number)[]

/** Characters that a value may take in a message. */
const [maxShort, maxLong] = [200, 4000]

/**
 * Throws at the first place where a value is not what was expected: `decode(encode(f)) lost reply.text at
 * messages[0].text: expected "a", got undefined`. `who` made the value. As strict as vitest's `toStrictEqual`.
 */
export function expectSame(actual: unknown, expected: unknown, who: string, leg: 'event' | 'reply'): void {
	const place = firstDifference(expected, actual)
	if (!place) return
	const [was, is] = [valueAt(expected, place), valueAt(actual, place)]
	const did = is === undefined ? 'lost' : was === undefined ? 'added' : 'changed'
	const feature = featureAt(leg, expected, place) ?? featureAt(leg, actual, place) ?? leg
	const where = place.length === 0 ? '' : ` at ${fieldPath(place)}`
	throw new Error(`${who} ${did} ${feature}${where}: expected ${inShort(was)}, got ${inShort(is)}`)
}

/** Throws at the first place where the value is not of the schema: `… at texts[0]: expected at most 20 characters, got "…"`. */
export function expectValid(schema: v.GenericSchema, value: unknown, problem: string): void {
	const [issue] = v.safeParse(schema, value).issues ?? []
	if (!issue) return
	const path = pathOf(issue)
	const expected = describeExpected(schema, value, issue) ?? issue.message
	const where = path.length === 0 ? '' : ` at ${fieldPath(path)}`
	throw new Error(`${problem}${where}: expected ${expected}, got ${inShort(valueAt(value, path))}`)
}

/** Throws unless random values obey the law. `who` obeys it; `show` makes a counterexample what a reader has to see. */
export async function expectLaw<Ts>(
	who: string,
	property: fc.IRawProperty<Ts>,
	config: fc.Parameters<Ts>,
	show: (values: Ts) => unknown,
): Promise<void> {
	const details = await fc.check(property, config)
	if (!details.failed) return
	const { counterexample, errorInstance, seed } = details
	if (counterexample === null) throw new Error(`${who}: ${fc.defaultReportMessage(details)}`)
	const value = inShort(show(counterexample), maxLong)
	const broken = new Error(`${who}: ${reasonOf(errorInstance)}; smallest value: ${value}; seed ${seed}`)
	// Its stack leads to the line that failed, in the adapter or in the law.
	if (errorInstance instanceof Error) Object.assign(broken, { stack: errorInstance.stack, cause: errorInstance.cause })
	throw broken
}

function reasonOf(thrown: unknown): string {
	if (!(thrown instanceof Error)) return String(thrown)
	if (thrown instanceof GatewayError) {
		const { code, field, context } = thrown
		const where = field === undefined ? '' : ` at ${field}`
		return `GatewayError ${code}${where}${context.expected === undefined ? '' : `: expected ${context.expected}`}`
	}
	return ['Error', 'AssertionError'].includes(thrown.name) ? thrown.message : `${thrown.name}: ${thrown.message}`
}

/** A value as JSON, cut where it is long. */
export function inShort(value: unknown, most = maxShort): string {
	const text = JSON.stringify(value) ?? String(value)
	return text.length > most ? `${text.slice(0, most)}…` : text
}

/** The path to the first place where two values differ; undefined when they are the same. */
export function firstDifference(expected: unknown, actual: unknown): Path | undefined {
	if (Object.is(expected, actual)) return undefined
	if (!isObject(expected) || !isObject(actual)) return []
	if (Object.getPrototypeOf(expected) !== Object.getPrototypeOf(actual)) return []
	for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
		const here = Array.isArray(expected) ? Number(key) : key
		if (Object.hasOwn(expected, key) !== Object.hasOwn(actual, key)) return [here]
		const inside = firstDifference(expected[key], actual[key])
		if (inside) return [here, ...inside]
	}
	return undefined
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
	return typeof value === 'object' && value !== null
}

function valueAt(value: unknown, path: Path): unknown {
	return path.reduce((holder, key) => (isObject(holder) ? holder[key] : undefined), value)
}

const features: ReadonlySet<string> = new Set<Feature>([...eventFeatures, ...replyFeatures])

/** The members of messages whose feature has another name. */
const renamed: { readonly [member: string]: string } = { imageUrl: 'image', target: 'goto' }

/** The feature that stands at a path of a model; undefined when the path leads to none. */
function featureAt(leg: 'event' | 'reply', model: unknown, path: Path): string | undefined {
	const [list, index, ...inside] = path
	if ((list === 'messages' || list === 'defaultReply') && index !== undefined) {
		return featureOfMessage(valueAt(model, [list, index]), inside) ?? 'reply.messages'
	}
	const names = path.filter((key) => typeof key === 'string')
	const candidates = names.map((_, i) => [leg, ...names.slice(0, names.length - i)].join('.'))
	return candidates.find((name) => features.has(name))
}

function featureOfMessage(message: unknown, path: Path): string | undefined {
	const names = path.filter((key) => typeof key === 'string')
	const member = names.at(-1) ?? ''
	const holder = names.findLast((name) => ['buttons', 'cards', 'choices'].includes(name) && name !== member)
	const element = valueAt(message, path.slice(0, -1))
	const typeOf = (value: unknown) => (isObject(value) ? String(value.type) : '')
	const short = renamed[member] ?? member
	const candidates = holder
		? [`${holder.slice(0, -1)}.${short}`, `button.${typeOf(element)}.${short}`, `button.${typeOf(element)}`, holder]
		: [`${typeOf(message)}.${short}`, `media.${short}`, short, typeOf(message)]
	return candidates.map((name) => `reply.${name}`).find((name) => features.has(name))
}
