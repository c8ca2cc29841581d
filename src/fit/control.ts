/** What becomes of the conversation, in normal form: each part carried as it is, or not at all. */
import { compact, compactOrNone, nonEmptyList } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'
import { type Fitting, fitOneOf, isWithin, note } from './context.ts'

type Control = NonNullable<CanonicalReply['control']>

export function fitControl(fitting: Fitting, control: Control): Control | undefined {
	return compactOrNone({
		close: ifCarried('close', control.close),
		handover: fitHandover(fitting, control.handover),
		goto: ifCarried('goto', control.goto, control.goto),
		blockInput: ifCarried('blockInput', control.blockInput),
		participants: ifCarried('participants', control.participants),
		tags: fitTags(fitting, ifCarried('tags', control.tags)),
	})

	function ifCarried<T>(part: Exclude<keyof Control, 'handover'>, value: T | undefined, word = ''): T | undefined {
		const feature = `reply.control.${part}` as const
		const limit = fitting.carries[feature]
		if (value === undefined || (limit && isWithin(word, limit))) return value
		note(fitting, 'dropped', feature, `control.${part}`)
		return undefined
	}
}

function fitHandover(fitting: Fitting, handover: Control['handover']): Control['handover'] {
	const feature = 'reply.control.handover'
	const to = fitOneOf(fitting, feature, fitting.carries[feature], handover?.to, 'control.handover')
	return handover && to && compact({ to, name: part('name'), id: part('id') })

	function part(which: 'name' | 'id'): string | undefined {
		const value = handover?.[which]
		const limit = fitting.carries[`${feature}.${which}`]
		if (value === undefined || (limit && isWithin(value, limit))) return value
		note(fitting, 'dropped', `${feature}.${which}`, `control.handover.${which}`)
		return undefined
	}
}

function fitTags(fitting: Fitting, tags: Control['tags']): Control['tags'] {
	const { items = tags?.length } = fitting.carries['reply.control.tags'] ?? {}
	tags?.slice(items).forEach((_, i) => {
		note(fitting, 'dropped', 'reply.control.tags', `control.tags[${Number(items) + i}]`)
	})
	return nonEmptyList(tags?.slice(0, items) ?? [])
}
