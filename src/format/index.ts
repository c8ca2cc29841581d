/** What an adapter is made of. Adapters import this door and nothing else of the gateway. */
export { GatewayError } from '../errors.ts'
export { limits } from '../limits.ts'
export {
	Attributes,
	BackendReply,
	Button,
	CanonicalEvent,
	CanonicalReply,
	Card,
	Choice,
	emptyReply,
	eventFeatures,
	Json,
	Message,
	messageFeatures,
	replyFeatures,
	reservedKeys,
	Timestamp,
} from '../model/index.ts'
export { closestName, matches, outputOf } from '../schema/index.ts'
export {
	type Adapter,
	type AdapterFactory,
	defineAdapter,
	type Handshake,
	type NamedAdapter,
	type Simulated,
} from './adapter.ts'
export { allOf } from './all-of.ts'
export { absentFields, extractFields, type FieldMapping, insertFields, namesOf } from './attribute-fields.ts'
export { type Auth, queryToken } from './auth.ts'
export type { Carries, Limit, LimitName } from './carries.ts'
export { echoChallenge } from './challenge.ts'
export { buttonToChoice, choiceToButton, decodeLabels, encodeLabels } from './choices.ts'
export { compact, compactOrNone, nonEmpty, nonEmptyList } from './compact.ts'
export type { Crypto } from './crypto.ts'
export { fieldPath, memberPath } from './field-path.ts'
export { formRequest, isForm, mergeQuery, parseFields, queryRequest, readBodyValues, readForm } from './form.ts'
export { bodyAsJson, forgetJson, jsonRequest, jsonResponse, longestReparsed, readJson, readJsonBody } from './json.ts'
export type { Decoded, EventLeg, Leg, ReplyLeg, Report } from './leg.ts'
export {
	WireCount,
	WireFlag,
	WireNonEmpty,
	WireNumber,
	WireOptionalText,
	WireText,
	wireList,
	wireObject,
} from './lenient.ts'
export type { MergeTag, MergeTags } from './merge-tags.ts'
export { kindOf, type MessageKind } from './message-kind.ts'
export { joinMistakes } from './mistakes.ts'
export {
	atLeastOneMember,
	blankIsSilence,
	bodyMatches,
	Id,
	NonEmpty,
	refuseMisspelt,
	requireOneOf,
	unreachable,
	WireAttributes,
	WireJson,
} from './parts.ts'
export { problemResponse } from './problem.ts'
export {
	judgeStatus,
	type Push,
	type PushCall,
	type PushLeg,
	type PushLookup,
	type PushTarget,
	type PushVerdict,
} from './push.ts'
export type {
	ApiAnswer,
	ApiCall,
	Callback,
	ManagementApiOptions,
	SimulatedApi,
	SimulatedManagementApi,
} from './simulated-api.ts'
export { decodeTyped, hasKnownType, NativeItem, type Path } from './typed-list.ts'
export { validate } from './validate.ts'
export type { Fields, WireRequest, WireResponse } from './wire.ts'
