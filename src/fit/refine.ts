/** Where a leg has its say in fit: on the fitted value, before what is over the format's bytes goes. */
import type { Leg } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../model/index.ts'
import { type Fitting, note } from './context.ts'

/** The value as the leg refines it. What it reports is traced back to the messages of the value before. */
export function refine<Model extends CanonicalEvent | CanonicalReply>(
	fitting: Fitting,
	leg: Pick<Leg<never, Model>, 'refine'>,
	value: Model,
): Model {
	if (!leg.refine) return value
	const messages = 'messages' in value ? value.messages : value.defaultReply
	return leg.refine(value, ({ did, feature, path, detail }) => {
		const [message, index] = /^(?:messages|defaultReply)\[(\d+)\]/.exec(path) ?? []
		const fitted = messages?.[Number(index)]
		const origin = fitted && fitting.origins?.get(fitted)
		note(fitting, did, feature, origin === undefined ? path : origin + path.slice(message?.length), detail)
	})
}
