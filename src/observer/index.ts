/** Those who watch the gateway from outside. */
export { combineObservers } from './combine.ts'
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
} from './observer.ts'
export { type Outcome, outcomeOf } from './outcome.ts'
export { type ObserveCall, observeCalls, shield } from './shield.ts'
