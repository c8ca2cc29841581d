/** What only this platform says of an event: its part of `extensions`. */
import * as v from 'valibot'
import { atLeastOneMember, compactOrNone, NonEmpty, nonEmpty } from '../../../src/format/index.ts'
import type { Dialect } from '../dialect.ts'
import type { Call } from './call.ts'

const nativeEntries = {
	/** The event comes from a test page. */
	draft: v.optional(v.literal(true)),
	/** The department of the conversation. */
	department: v.optional(
		v.pipe(v.strictObject({ id: v.optional(NonEmpty), name: v.optional(NonEmpty) }), atLeastOneMember()),
	),
	/** The intent's example sentences. */
	question: v.optional(NonEmpty),
}
/** What only this platform says of an event. */
export const Native = v.pipe(v.strictObject(nativeEntries), atLeastOneMember())
/** The same for dialects without an intent. */
export const NativeWithoutIntent = v.pipe(
	v.strictObject({ draft: nativeEntries.draft, department: nativeEntries.department }),
	atLeastOneMember(),
)

/** The native parts of a decoded event, which name the dialect unless it is the default. */
type DecodedNative = v.InferOutput<typeof Native> & { dialect?: Dialect | undefined }

/** The native parts of a call; undefined when it has none. */
export function decodeNative(call: Call, defaultDialect: Dialect): DecodedNative | undefined {
	const { draft, sourcePage, department } = call.message.request ?? {}
	const isDraft = draft === true || sourcePage?.includes('&td_draft=true') === true
	return compactOrNone<DecodedNative>({
		dialect: call.dialect === defaultDialect ? undefined : call.dialect,
		draft: isDraft ? true : undefined,
		department: compactOrNone<NonNullable<DecodedNative['department']>>({
			id: nonEmpty(department?._id),
			name: nonEmpty(department?.name),
		}),
		question: nonEmpty(call.intent?.question),
	})
}

/** The members of a request that hold native parts. */
export function encodeNative(native: v.InferOutput<typeof Native> | undefined): object {
	return {
		draft: native?.draft,
		department: native?.department && { _id: native.department.id, name: native.department.name },
	}
}
