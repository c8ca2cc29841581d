/** The public API, grouped by audience. Authors of adapters import `dragoman/format` instead. */

// To handle errors.
export { type ErrorCode, type ErrorContext, errors, GatewayError, type Problem } from './errors.ts'
// To fit values to a format.
export { type FitContext, type Fitted, fitEvent, fitReply, type Offer } from './fit/index.ts'
// To run a gateway on a runtime of your own.
export { type AppOptions, type ByteBudget, type ByteSource, createApp, createBodyBudget } from './http/index.ts'
// To write a backend in the canonical format.
export {
	Attributes,
	BackendReply,
	BackendRequest,
	Button,
	CanonicalEvent,
	CanonicalReply,
	Card,
	type Change,
	Choice,
	emptyReply,
	Json,
	Message,
	Turn,
} from './model/index.ts'
// To watch what the gateway does.
export type {
	BegunDelivery,
	BegunReply,
	BegunTurn,
	CallObserver,
	CallOutcome,
	DeliveryObserver,
	DeliveryOutcome,
	LateOutcome,
	Observer,
	Refusal,
	StateFailure,
	Step,
	StepName,
	TraceContext,
	TurnObserver,
	TurnOutcome,
	UpstreamCall,
} from './observer/index.ts'
export type { HoldingReply, LocalizedReplies, Route } from './route.ts'
export type {
	Beginning,
	Begun,
	Delivery,
	LogLine,
	OpenChoices,
	OpenReply,
	Outbox,
	OutgoingCall,
	PickedSet,
	Runtime,
	Settlement,
	State,
	StoredReply,
} from './runtime.ts'
// To simulate a platform.
export {
	describeChange,
	Refused,
	renderReply,
	type SimulatedTurn,
	type Simulation,
	selectableOptions,
	simulate,
	type UserAction,
} from './simulator/index.ts'
export {
	type Answered,
	type Arrival,
	type CallHead,
	type PreparedRoute,
	prepareRoute,
	takeTurn,
	type UnreadBody,
} from './turn/index.ts'
export type { Upstream } from './upstream/index.ts'
