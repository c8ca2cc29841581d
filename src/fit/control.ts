/** What becomes of the conversation, in normal form: each part carried as it is, or not at all. */
import type { CanonicalReply } from '../canonical.ts'
import { definedOrNone } from '../codec.ts'
import { type Fitting, note, within } from './fitting.ts'

type Control = NonNullable<CanonicalReply['control']>

export function fitControl(fitting: Fitting, control: Control): Control | undefined {
	return definedOrNone({
		close: kept('close', control.close),
		handover: kept('handover', control.handover, control.handover?.to),
		goto: kept('goto', control.goto, control.goto),
		blockInput: kept('blockInput', control.blockInput),
		participants: kept('participants', control.participants),
		tags: kept('tags', control.tags),
	})

	function kept<T>(part: keyof Control, value: T | undefined, word = ''): T | undefined {
		const feature = `reply.control.${part}` as const
		const limit = fitting.carries[feature]
		if (value === undefined || (limit && within(word, limit))) return value
		note(fitting, 'dropped', feature, `control.${part}`)
		return undefined
	}
}
