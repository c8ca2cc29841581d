/**
 * The actions of an answer, which a flow's block has too: changes to the conversation. The current engine only.
 * Tiledesk/tiledesk-chatbot: tiledeskChatbotPlugs/directives.
 */
import * as v from 'valibot'
import { type CanonicalReply, compact, Json, NonEmpty } from '../../../src/format/index.ts'

export type Control = NonNullable<CanonicalReply['control']>

/** Members that the platform's designer adds to every action. */
export const designerEntries = { _tdActionId: v.optional(v.unknown()), _tdActionTitle: v.optional(v.unknown()) }

/** The actions that are a reply's `control` in the model. */
export const ControlAction = v.variant('_tdActionType', [
	v.object({ ...designerEntries, _tdActionType: v.literal('agent') }),
	v.object({ ...designerEntries, _tdActionType: v.literal('department'), depName: NonEmpty }),
	v.object({
		...designerEntries,
		_tdActionType: v.literal('replacebotv2'),
		botName: NonEmpty,
		blockName: v.nullish(v.string()),
	}),
	v.object({ ...designerEntries, _tdActionType: v.literal('close') }),
	v.object({ ...designerEntries, _tdActionType: v.literal('intent'), intentName: NonEmpty }),
])
type ControlAction = v.InferOutput<typeof ControlAction>

/** The type of the action that holds messages. */
export const replyType = 'reply'

const modelTypes: readonly string[] = [
	replyType,
	...ControlAction.options.map(({ entries }) => entries._tdActionType.literal),
]

/** An action for which the model has no field. The platform skips one that it does not know in silence. */
export const NativeAction = v.objectWithRest(
	{
		_tdActionType: v.pipe(
			NonEmpty,
			v.check((type) => !modelTypes.includes(type), 'must be a type that the model does not have'),
		),
	},
	Json,
)

/** The control with an action's effect added; undefined when an earlier action already had that effect. */
export function decodeControl(control: Control, action: ControlAction): Control | undefined {
	switch (action._tdActionType) {
		case 'agent':
			return control.handover ? undefined : { ...control, handover: { to: 'human' } }
		case 'department':
			return control.handover ? undefined : { ...control, handover: { to: 'department', name: action.depName } }
		case 'replacebotv2': {
			const goto = action.blockName || undefined
			if (control.handover || (control.goto !== undefined && goto !== undefined)) return undefined
			return compact<Control>({ ...control, handover: { to: 'bot', name: action.botName }, goto: goto ?? control.goto })
		}
		case 'close':
			return control.close ? undefined : { ...control, close: true }
		case 'intent':
			return control.goto === undefined ? { ...control, goto: action.intentName } : undefined
	}
}

/** The jump comes last: no action runs after it. The jump to another bot's block is part of that bot's action. */
export function encodeControl({ handover, close, goto }: Control): object[] {
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
