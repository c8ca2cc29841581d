/** Fills the merge tags of a reply whose platform has another format, and would show them as they are. */
import { fieldPath, type MergeTag, type MergeTags } from '../format/index.ts'
import type { Attributes, CanonicalEvent, CanonicalReply, Change, Json } from '../model/index.ts'

/** UTF-16 units of an attribute's name. What is longer is no tag, so that many open braces take linear time. */
const maxName = 128

/** Strings of a message that hold no words. */
const wordless: ReadonlySet<string> = new Set(['type', 'mimeType', 'height'])
/** Strings in which a value is percent-encoded. */
const addresses: ReadonlySet<string> = new Set(['url', 'imageUrl'])

type Path = readonly (string | number)[]

/**
 * The reply with the values of its own attributes, or else those of the event, in place of their tags. A tag without a
 * value stays as it is, and is reported as dropped.
 */
export function fillMergeTags(
	reply: CanonicalReply,
	tags: MergeTags,
	event: CanonicalEvent,
): { reply: CanonicalReply; changes: Change[] } {
	const { spellings } = tags
	const holdsTag = (text: string) => spellings.some(({ open }) => text.includes(open))
	if (!someString(reply.messages, holdsTag)) return { reply, changes: [] }

	const changes: Change[] = []
	// One pattern for all spellings: a value that holds a tag itself is not filled again.
	const pattern = new RegExp(spellings.map(patternOf).join('|'), 'gu')

	function fill<T>(value: T, path: Path): T
	function fill(value: unknown, path: Path): unknown {
		const key = path.at(-1)
		if (typeof value === 'string') return wordless.has(String(key)) ? value : fillText(value, path)
		if (Array.isArray(value)) return value.map((item, i) => fill(item, [...path, i]))
		if (typeof value !== 'object' || value === null) return value
		return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member, [...path, name])]))
	}

	function fillText(text: string, path: Path): string {
		if (!holdsTag(text)) return text
		const isAddress = addresses.has(String(path.at(-1)))
		let isWhole = true
		const filled = text.replace(pattern, (tag: string, ...names: (string | undefined)[]) => {
			const at = spellings.findIndex((_, i) => names[i] !== undefined)
			const value = textOf(names[at]?.trim() ?? '', spellings[at]?.scope)
			if (value === undefined) isWhole = false
			return value === undefined ? tag : isAddress ? encodeURIComponent(value.toWellFormed()) : value
		})
		// The model has no empty strings; a platform that shows no blank one drops it, and names it.
		if (isWhole) return filled || ' '
		changes.push({ did: 'dropped', feature: 'reply', path: fieldPath(path), detail: 'no value for a merge tag' })
		return filled
	}

	function textOf(name: string, scope: MergeTag['scope']): string | undefined {
		const own = reply.attributes
		const session = () => textIn(own.session, name) ?? textIn(event.attributes, name)
		const user = () => textIn(own.user, name) ?? textIn(event.user?.attributes ?? {}, name)
		if (scope === 'session') return session()
		if (scope === 'user') return user() ?? tags.fieldOf?.(name, event)
		return textIn(own.session, name) ?? textIn(own.user, name) ?? tags.fieldOf?.(name, event) ?? session() ?? user()
	}

	return { reply: { ...reply, messages: fill(reply.messages, ['messages']) }, changes }
}

/** Whether a string in a value passes a test. */
function someString(value: unknown, test: (text: string) => boolean): boolean {
	if (typeof value === 'string') return test(value)
	if (typeof value !== 'object' || value === null) return false
	if (Array.isArray(value)) return value.some((item) => someString(item, test))
	// Not by values, which are a list for each object.
	for (const key in value) if (someString(value[key as keyof typeof value], test)) return true
	return false
}

function patternOf({ open, close }: MergeTag): string {
	return `${RegExp.escape(open)}([^{}]{1,${maxName}})${RegExp.escape(close)}`
}

/** An attribute as words; undefined for one that is absent, deleted or no single value. */
function textIn(attributes: Attributes, name: string): string | undefined {
	const value: Json | undefined = Object.hasOwn(attributes, name) ? attributes[name] : undefined
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
		? String(value)
		: undefined
}
