/** What becomes of the conversation, in normal form: each part carried as it is, or not at all. */
import { compact, compactOrNone, type Limit } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'
import { type Fitting, note, within } from './context.ts'

type Control = NonNullable<CanonicalReply['control']>

export function fitControl(fitting: Fitting, control: Control): Control | undefined {
	return compactOrNone({
		close: kept('close', control.close),
		handover: fitHandover(fitting, kept('handover', control.handover, control.handover?.to)),
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

/** To a human, or to a receiver that the format can name. */
function fitHandover(fitting: Fitting, handover: Control['handover']): Control['handover'] {
	if (!handover) return undefined
	const { to } = handover
	const { 'reply.control.handover.name': byName, 'reply.control.handover.id': byId } = fitting.carries
	const name = part('name', byName?.required && to === 'human' ? undefined : byName)
	if (byName?.required && to !== 'human' && name === undefined) {
		note(fitting, 'dropped', 'reply.control.handover', 'control.handover', 'nobody is named')
		return undefined
	}
	return compact({ to, name, id: part('id', byId) })

	function part(which: 'name' | 'id', limit: Limit | undefined): string | undefined {
		const value = handover?.[which]
		if (value === undefined || (limit && within(value, limit))) return value
		note(fitting, 'dropped', `reply.control.handover.${which}`, `control.handover.${which}`)
		return undefined
	}
}
