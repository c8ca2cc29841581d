/** The canonical model: events and replies, independent of any platform. */
export { isRelative, relativeAddressesOf, withScheme } from './addresses.ts'
export { BackendReply, BackendRequest } from './backend.ts'
export type { Change } from './change.ts'
export { Timestamp } from './constraints.ts'
export { CanonicalEvent } from './event.ts'
export { excessOfEvent, excessOfReply } from './excess.ts'
export {
	type EventFeature,
	eventFeatures,
	type Feature,
	type MessageFeature,
	messageFeatures,
	type ReplyFeature,
	replyFeatures,
} from './features.ts'
export { Attributes, findReservedKey, Json, reservedKeys } from './json.ts'
export { Button, Card, Choice, Message } from './message.ts'
export { CanonicalReply, emptyReply } from './reply.ts'
export { Turn } from './turn.ts'
