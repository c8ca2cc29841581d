/** The data path of one turn, from the platform’s call to its answer. */
export { type Answered, type Arrival, type CallHead, isSecretOf, type UnreadBody } from './admission.ts'
export { withReply, withStoredReply } from './choices.ts'
export { decodeEvent, decodePostedReply } from './decode.ts'
export { isLoss, lossesFirst } from './losses.ts'
export { fillMergeTags } from './merge-tags.ts'
export { stepsOfPush } from './observation.ts'
export { type PreparedRoute, prepareRoute } from './prepared-route.ts'
export {
	acceptPush,
	namesOfLosses,
	type PushedEvent,
	planAnswer,
	planFailure,
	pushTarget,
} from './push.ts'
export { redactCall, redactDelivery, redacted } from './redact.ts'
export { replyPath } from './reply-url.ts'
export { suggestsSecret } from './secret-names.ts'
export { type ReplyRoutes, takeReply } from './take-reply.ts'
export { takeTurn } from './take-turn.ts'
