/** For backends in TypeScript or JavaScript: `import { createBackend } from 'dragoman/backend'`. Runs wherever there is Web Crypto. */
export type {
	Attributes,
	BackendReply,
	BackendRequest,
	Button,
	CanonicalEvent,
	Card,
	Choice,
	Json,
	Message,
	Turn,
} from '../model/index.ts'
export { type Answer, type Backend, type BackendOptions, createBackend } from './backend.ts'
export {
	audio,
	callButton,
	cards,
	choices,
	file,
	image,
	link,
	postback,
	type ReplyParts,
	reply,
	text,
	video,
	webview,
} from './builders.ts'
export type { NodeRequest, NodeResponse } from './node-handler.ts'
export { parseRequest, RequestInvalid } from './request.ts'
export { isSigned, type SignedCall } from './signature.ts'
