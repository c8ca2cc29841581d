/** What only this platform can say in a reply: its part of `overrides`. */
import * as v from 'valibot'
import { atLeastOneMember, type Json } from '../../../src/format/index.ts'
import { AnyAction, NativeAction, replyTypes } from './actions.ts'
import { Hidden, Markup, type ScriptState } from './script.ts'

/** An action of a backend whose answer stays on the platform, as the backend wrote it. */
export const WrittenAction = v.pipe(
	AnyAction,
	v.check(({ _tdActionType: type }) => !replyTypes.some((each) => each === type), 'must not hold messages'),
)

const listOf = <S extends v.GenericSchema>(item: S) => v.optional(v.pipe(v.array(item), v.nonEmpty()))
const words = { text: v.optional(Markup), hidden: listOf(Hidden) }
/** The older engine runs no actions. */
const NativeOfServer = v.pipe(v.strictObject(words), atLeastOneMember())
const NativeOfTranslated = v.pipe(v.strictObject({ ...words, actions: listOf(NativeAction) }), atLeastOneMember())
const NativeOfWritten = v.pipe(
	v.strictObject({ ...words, before: listOf(WrittenAction), actions: listOf(WrittenAction) }),
	atLeastOneMember(),
)

/** The schema of the native parts, by who wrote them and who reads them. */
export function nativeSchema({ dialect, asWritten }: ScriptState['context']): v.GenericSchema<Native> {
	if (dialect === 'server') return NativeOfServer
	return asWritten ? NativeOfWritten : NativeOfTranslated
}

/** The native parts of a reply. */
export type Native = {
	readonly text?: string
	readonly hidden?: readonly Hidden[]
	/** Actions before the messages; the backend wrote them there. */
	readonly before?: readonly Json[]
	/** Actions after the messages. */
	readonly actions?: readonly Json[]
}
