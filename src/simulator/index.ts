/** Simulates a platform from its adapter, previews values on it, and renders replies as text. */
export { curlCommand } from './curl.ts'
export { limitInWords } from './limit-in-words.ts'
export type { LimitUse } from './limits-used.ts'
export { type EventPreview, previewEvent, previewReply, type ReplyPreview } from './preview.ts'
export {
	compareAnswer,
	comparePushes,
	compareRequest,
	countingDifferences,
	type Difference,
	RecordedTurn,
	recordedAnswer,
	recordedCall,
} from './recorded-turn.ts'
export { renderReply, selectableOptions } from './render-text.ts'
export { describeChange, Refused, type SimulatedTurn, type Simulation, simulate } from './simulator.ts'
export type { UserAction } from './user-action.ts'
