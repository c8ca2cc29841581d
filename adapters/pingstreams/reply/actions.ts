/**
 * The actions of an answer, which a flow's block has too: changes to the conversation. The current engine only.
 * Tiledesk/tiledesk-chatbot: tiledeskChatbotPlugs/directives.
 */
import * as v from 'valibot'
import {
	type CanonicalReply,
	compact,
	type Json,
	NonEmpty,
	outputOf,
	WireFlag,
	WireJson,
	WireNonEmpty,
	WireOptionalText,
	wireList,
} from '../../../src/format/index.ts'
import { variable } from '../markup.ts'

export type Control = NonNullable<CanonicalReply['control']>

/** Members that the platform's designer adds to every action, behind the type. */
export const designerEntries = { _tdActionId: v.optional(v.unknown()), _tdActionTitle: v.optional(v.unknown()) }

const designed = <T extends string, E extends v.ObjectEntries>(type: T, entries: E) =>
	v.object({ _tdActionType: v.literal(type), ...designerEntries, ...entries })

const text = WireOptionalText

/** The actions that are a reply's `control` in the model. */
export const ControlAction = v.variant('_tdActionType', [
	designed('agent', {}),
	designed('move_to_unassigned', {}),
	designed('department', { depName: WireNonEmpty }),
	designed('replacebot', { botName: WireNonEmpty, blockName: text }),
	designed('replacebotv2', { botName: WireNonEmpty, blockName: text }),
	designed('replacebotv3', { botId: text, botSlug: text, useSlug: WireFlag, blockName: text }),
	designed('close', {}),
	designed('intent', { intentName: WireNonEmpty }),
])
type ControlAction = v.InferOutput<typeof ControlAction>

/** The actions that hold messages; the designer of today writes the second, and the engine treats both alike. */
export const replyTypes = ['reply', 'replyv2'] as const
/** The action that shows one of its messages, picked at random. */
export const randomType = 'randomreply'

/** The id that stands for the queue of unassigned conversations in a hand-over to a human. */
export const unassigned = 'unassigned'

/** Types of actions for which the model has fields. */
const modelTypes: readonly string[] = [
	...replyTypes,
	randomType,
	...ControlAction.options.map(({ entries }) => entries._tdActionType.literal),
]

/** An action of any type, of a body or of a reply, which are JSON. The platform skips one that it does not know in silence. */
export const AnyAction = v.objectWithRest({ _tdActionType: NonEmpty }, WireJson)

/** An action for which the model has no field. */
export const NativeAction = v.pipe(
	AnyAction,
	v.check(
		(action) => !modelTypes.includes(action._tdActionType) && decodeSetAttribute(action) === undefined,
		'must be an action that the model does not have',
	),
)

/** The control with an action's effect added; undefined when an earlier action already had that effect. */
export function decodeControl(control: Control, action: ControlAction): Control | undefined {
	switch (action._tdActionType) {
		case 'agent':
			return withHandover(control, { to: 'human' })
		case 'move_to_unassigned':
			return withHandover(control, { to: 'human', id: unassigned })
		case 'department':
			return withHandover(control, { to: 'department', name: action.depName })
		case 'replacebot':
		case 'replacebotv2':
			return withHandover(control, { to: 'bot', name: action.botName }, action.blockName)
		case 'replacebotv3': {
			const id = (action.useSlug ? action.botSlug : action.botId) || action.botId || action.botSlug
			return id ? withHandover(control, { to: 'bot', id }, action.blockName) : undefined
		}
		case 'close':
			return control.close ? undefined : { ...control, close: true }
		case 'intent':
			return control.goto === undefined ? { ...control, goto: action.intentName } : undefined
	}
}

function withHandover(
	control: Control,
	handover: NonNullable<Control['handover']>,
	blockName?: string | null,
): Control | undefined {
	const goto = blockName || undefined
	if (control.handover || (control.goto !== undefined && goto !== undefined)) return undefined
	return compact<Control>({ ...control, handover, goto: goto ?? control.goto })
}

/** The jump comes last: no action runs after it. The jump to another bot's block is part of that bot's action. */
export function encodeControl({ handover, close, goto }: Control): object[] {
	const actions: object[] = []
	switch (handover?.to) {
		case 'human':
			actions.push({ _tdActionType: handover.id === unassigned ? 'move_to_unassigned' : 'agent' })
			break
		case 'department':
			actions.push({ _tdActionType: 'department', depName: handover.name })
			break
		case 'bot':
			actions.push(
				handover.name === undefined
					? { _tdActionType: 'replacebotv3', botId: handover.id, blockName: goto }
					: { _tdActionType: 'replacebotv2', botName: handover.name, blockName: goto },
			)
			break
	}
	if (close) actions.push({ _tdActionType: 'close' })
	if (goto !== undefined && handover?.to !== 'bot') actions.push({ _tdActionType: 'intent', intentName: goto })
	return actions
}

/** A name that the platform does not fill in: it does so in actions too. */
const Name = v.pipe(
	NonEmpty,
	v.check((name) => !variable.test(name)),
)
const Value = v.union([
	v.pipe(
		v.string(),
		v.check((value) => !variable.test(value)),
	),
	v.number(),
	v.boolean(),
])
/** An action that sets an attribute to a value, where nothing is computed. */
const SetAttribute = v.variant('_tdActionType', [
	designed('setattribute', { destination: Name, value: Value }),
	designed('setattribute-v2', {
		destination: Name,
		operation: v.object({
			operators: v.nullish(wireList(v.unknown())),
			operands: v.pipe(
				wireList(
					v.object({
						value: Value,
						isVariable: v.pipe(WireFlag, v.literal(false)),
						function: v.nullish(v.literal('')),
					}),
				),
				v.length(1),
			),
		}),
	}),
])

/** The attribute that an action sets; undefined for any other action, and where the platform computes something. */
export function decodeSetAttribute(
	action: Json,
): readonly [name: string, value: string | number | boolean] | undefined {
	const set = outputOf(SetAttribute, action)
	if (!set) return undefined
	if ('value' in set) return [set.destination, set.value]
	const [operand] = set.operation.operands
	return operand && [set.destination, operand.value]
}

export function encodeSetAttribute([destination, value]: readonly [string, Json]): object {
	return { _tdActionType: 'setattribute-v2', destination, operation: { operands: [{ value, isVariable: false }] } }
}
