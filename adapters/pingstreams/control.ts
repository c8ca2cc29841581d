/**
 * Actions of the current engine, which a flow's block has and an answer may have, too: what becomes of the conversation.
 * Tiledesk/tiledesk-chatbot: tiledeskChatbotPlugs/directives.
 */
import * as v from 'valibot'
import { type CanonicalReply, compact, Json } from '../../src/format/index.ts'

export type Control = NonNullable<CanonicalReply['control']>

const Said = v.pipe(v.string(), v.nonEmpty())
/** What the platform's designer writes beside. */
const label = { _tdActionId: v.optional(v.unknown()), _tdActionTitle: v.optional(v.unknown()) }

/** Actions that the model says. */
export const ControlAction = v.variant('_tdActionType', [
	v.object({ ...label, _tdActionType: v.literal('agent') }),
	v.object({ ...label, _tdActionType: v.literal('department'), depName: Said }),
	v.object({ ...label, _tdActionType: v.literal('replacebotv2'), botName: Said, blockName: v.nullish(v.string()) }),
	v.object({ ...label, _tdActionType: v.literal('close') }),
	v.object({ ...label, _tdActionType: v.literal('intent'), intentName: Said }),
])
type ControlAction = v.InferOutput<typeof ControlAction>

/** The type of the action that says messages. */
export const reply = 'reply'

/** The types of the actions that change the conversation. */
export const controls = ControlAction.options.map(({ entries }) => entries._tdActionType.literal)
const ours: readonly string[] = [reply, ...controls]

/** An action that the model has no word for. One that is none of the platform's is skipped there in silence. */
export const NativeAction = v.objectWithRest(
	{
		_tdActionType: v.pipe(
			Said,
			v.check((type) => !ours.includes(type), 'must be none that the model says'),
		),
	},
	Json,
)
export type NativeAction = v.InferOutput<typeof NativeAction>

/** The control with what an action does added; undefined where an earlier action did it already. */
export function readControl(control: Control, action: ControlAction): Control | undefined {
	switch (action._tdActionType) {
		case 'close':
			return control.close ? undefined : { ...control, close: true }
		case 'intent':
			return control.goto === undefined ? { ...control, goto: action.intentName } : undefined
		case 'agent':
			return control.handover ? undefined : { ...control, handover: { to: 'human' } }
		case 'department':
			return control.handover ? undefined : { ...control, handover: { to: 'department', name: action.depName } }
		case 'replacebotv2': {
			const goto = action.blockName || undefined
			if (control.handover || (control.goto !== undefined && goto !== undefined)) return undefined
			return compact<Control>({ ...control, handover: { to: 'bot', name: action.botName }, goto: goto ?? control.goto })
		}
	}
}

/** The jump comes last: behind it no action runs. To another bot's block it goes together with the bot. */
export function writeControl({ handover, close, goto }: Control): object[] {
	const actions: object[] = []
	switch (handover?.to) {
		case 'human':
			actions.push({ _tdActionType: 'agent' })
			break
		case 'department':
			actions.push({ _tdActionType: 'department', depName: handover.name })
			break
		case 'bot':
			actions.push({ _tdActionType: 'replacebotv2', botName: handover.name, blockName: goto })
			break
	}
	if (close) actions.push({ _tdActionType: 'close' })
	if (goto !== undefined && handover?.to !== 'bot') actions.push({ _tdActionType: 'intent', intentName: goto })
	return actions
}
