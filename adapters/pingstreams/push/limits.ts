/** What the API of Pingstreams accepts, and does with it, as observed. Kept apart from the adapter, as ../limits.ts is. */
import * as v from 'valibot'

const some = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())
const nonEmpty = v.pipe(v.string(), v.nonEmpty())

// What the server executes in any message: pubmodules/messageTransformer, messageActions.
const said = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'is blank'),
	v.check((text) => !/\$\{([^}]+)\}/.test(text), 'is replaced by a label'),
	v.check((text) => !/^[^\\]*\\(?:agent|close)$/.test(text), 'is executed'),
)
const pushedLabel = v.pipe(
	nonEmpty,
	v.check((text) => !/\$\{([^}]+)\}/.test(text), 'is replaced by a label when it is pressed'),
)
const pushedButton = v.variant('type', [
	v.strictObject({ type: v.literal('text'), value: pushedLabel }),
	v.strictObject({
		type: v.literal('url'),
		value: pushedLabel,
		link: nonEmpty,
		target: v.picklist(['blank', 'parent', 'self']),
	}),
	v.strictObject({ type: v.literal('action'), value: pushedLabel, action: nonEmpty, show_echo: v.boolean() }),
])
const pushedCard = v.strictObject({
	preview: v.strictObject({ src: nonEmpty }),
	title: pushedLabel,
	description: v.optional(pushedLabel),
	buttons: v.optional(some(pushedButton)),
})
const blocked = v.optional(v.literal(true))
/** The attributes of a message that may block the input. */
const pushedTemplate = (entries: v.ObjectEntries) =>
	v.strictObject({
		attachment: v.strictObject({ type: v.literal('template'), ...entries }),
		disableInputMessage: blocked,
	})
const plain = v.optional(v.strictObject({ disableInputMessage: v.literal(true) }))
const pushedMessage = v.union([
	v.strictObject({ type: v.literal('text'), text: said, attributes: plain }),
	v.strictObject({ type: v.literal('text'), text: said, attributes: pushedTemplate({ buttons: some(pushedButton) }) }),
	// What an author wrote in markup, on purpose.
	v.strictObject({
		type: v.literal('text'),
		text: nonEmpty,
		attributes: v.strictObject({ microlanguage: v.literal(true), disableInputMessage: blocked }),
	}),
	v.strictObject({
		type: v.literal('text'),
		text: nonEmpty,
		attributes: v.strictObject({ subtype: v.picklist(['private', 'info']) }),
	}),
	v.strictObject({
		type: v.literal('image'),
		text: said,
		metadata: v.strictObject({ src: nonEmpty }),
		attributes: plain,
	}),
	v.strictObject({
		type: v.literal('frame'),
		text: said,
		metadata: v.strictObject({ src: nonEmpty, type: v.pipe(v.string(), v.regex(/^video(?:\/|$)/i)) }),
		attributes: plain,
	}),
	v.strictObject({
		type: v.literal('file'),
		text: said,
		metadata: v.strictObject({ src: nonEmpty, name: said, type: nonEmpty }),
		attributes: plain,
	}),
	v.strictObject({ type: v.literal('gallery'), text: said, attributes: pushedTemplate({ gallery: some(pushedCard) }) }),
])
const within = <T extends object>() =>
	v.check<T, string>((body) => JSON.stringify(body).length <= 500 * 1024, 'is over 500 KB')
const at = (end: string) => v.pipe(v.string(), v.regex(new RegExp(`^/[^/]+/requests/[^/]+${end}$`)))
const apiCall = v.union([
	v.strictObject({ method: v.literal('POST'), path: at('/messages'), body: v.pipe(pushedMessage, within()) }),
	v.strictObject({
		method: v.literal('PATCH'),
		path: at('/attributes'),
		body: v.pipe(v.record(v.string(), v.any()), within()),
	}),
	v.strictObject({
		method: v.literal('PATCH'),
		path: at(''),
		body: v.strictObject({ tags: some(v.strictObject({ tag: nonEmpty, color: nonEmpty })) }),
	}),
	v.strictObject({ method: v.literal('POST'), path: at('/participants'), body: v.strictObject({ member: nonEmpty }) }),
	v.strictObject({ method: v.literal('DELETE'), path: at('/participants/[^/]+') }),
	v.strictObject({ method: v.literal('PUT'), path: at('/participants'), body: v.strictTuple([]) }),
	v.strictObject({ method: v.literal('PUT'), path: at('/agent') }),
	v.strictObject({
		method: v.literal('PUT'),
		path: at('/departments'),
		body: v.strictObject({ departmentid: nonEmpty, nobot: v.literal(true) }),
	}),
	v.strictObject({
		method: v.literal('PUT'),
		path: at('/departments'),
		body: v.strictObject({ nobot: v.literal(true) }),
		lookup: v.strictObject({ path: v.pipe(v.string(), v.regex(/^\/[^/]+\/departments$/)), name: nonEmpty }),
	}),
	v.strictObject({
		method: v.literal('PUT'),
		path: at('/replace'),
		body: v.union([
			v.strictObject({ id: nonEmpty }),
			v.strictObject({ name: nonEmpty }),
			v.strictObject({ slug: nonEmpty }),
		]),
	}),
	v.strictObject({ method: v.literal('PUT'), path: at('/close'), body: v.strictObject({}) }),
])
/** Who takes over, and the end, stand behind the last message. */
const isOver = ({ path }: { readonly path: string }) => /\/(?:agent|departments|replace|close)$/.test(path)
/** The calls of a push. */
export const pushLimits = v.pipe(
	v.array(apiCall),
	v.check(
		(all) => all.every((each, i) => !each.path.endsWith('/messages') || !all.slice(0, i).some(isOver)),
		'speaks on',
	),
	v.check(
		(all) => all.every((each, i) => !each.path.endsWith('/close') || i === all.length - 1),
		'goes on when closed',
	),
)
