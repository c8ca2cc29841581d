/** The session's attributes: those of the conversation, the page's payload and a flow's variables, without secrets. */
import { type Attributes, type Json, memberPath } from '../../../src/format/index.ts'
import type { Call } from './call.ts'

/** Names of secrets in the platform's documents. */
const secrets: ReadonlySet<string> = new Set([
	...['secret', 'token', 'chatbotToken', 'chatbot_jwt_token', 'decodedCustomJWT', 'decoded_jwt'],
])

/** The engine's own variables, which repeat other fields of the call: Tiledesk/tiledesk-chatbot, engine/TiledeskChatbotConst.js. */
const engineVariables = [
	...['project_id', 'conversation_id', 'chatbot_name', 'chatbot_id', 'last_message_id', 'chatChannel', 'payload'],
	...['user_id', 'user_language', 'userFullname', 'userEmail', 'userPhone', 'userLeadId'],
	...['last_user_text', 'lastUserText', 'lastUserMessage', 'lastUserMessageType'],
	...['lastUserImageURL', 'lastUserImageName', 'lastUserImageType', 'lastUserImageWidth', 'lastUserImageHeight'],
	...['lastUserDocumentURL', 'lastUserDocumentName', 'lastUserDocumentType'],
	...['lastUserDocumentAsAttachmentURL', 'lastUserDocumentAsInlineURL'],
]

/** The whole conversation so far, repeated in every call. */
const transcript = 'transcript'

/** Variables that are no attributes. */
export const reservedVariables: readonly string[] = [...engineVariables, transcript]
const reserved: ReadonlySet<string> = new Set(reservedVariables)

/**
 * The attributes of three places, later ones over earlier ones: the conversation's, the page's payload, the flow's
 * variables. A value hidden by another one of the same name is unread.
 */
export function decodeAttributes({ isMessage, message, variables, at }: Call): {
	attributes: Attributes
	unread: string[]
} {
	const unread = Object.hasOwn(variables, transcript) ? [`variables.${transcript}`] : []
	const flow = withoutReserved(variables)
	const ofPage = message.attributes?.payload ?? none
	const ofRequest = message.request?.attributes ?? none
	// Most calls have nothing but variables.
	if (ofPage === none && ofRequest === none) return { attributes: withoutSecrets(flow), unread }
	const requestPath = `${at}${isMessage ? '.request' : ''}.attributes`
	const { payload, ...request } = ofRequest
	const merged = new Map<string, { readonly value: Json; readonly path: string }>()
	merge(request, requestPath)
	merge(ofPage, `${at}.attributes.payload`)
	merge(payload ?? none, `${requestPath}.payload`)
	merge(flow, 'variables')
	const attributes = [...merged].map(([key, { value }]) => [key, value] as const)
	return { attributes: Object.fromEntries(attributes), unread }

	function merge(values: Json, path: string): void {
		if (!isObject(values)) {
			unread.push(path)
			return
		}
		for (const [key, value] of Object.entries(withoutSecrets(values))) {
			const hidden = merged.get(key)
			if (hidden && JSON.stringify(hidden.value) !== JSON.stringify(value)) unread.push(memberPath(hidden.path, key))
			merged.set(key, { value, path })
		}
	}
}

const none: Attributes = {}

/** The variables that are attributes. */
function withoutReserved(variables: Attributes): Attributes {
	for (const key in variables) {
		if (reserved.has(key)) return Object.fromEntries(Object.entries(variables).filter(([key]) => !reserved.has(key)))
	}
	return variables
}

/** Takes the path of a secret. */
type Found = (path: string) => void

/** The attributes without secrets, at any depth; the same object where there are none. `at` is their path. */
export function withoutSecrets(attributes: Attributes, at = '', found?: Found): Attributes {
	return holdsSecret(attributes) ? copyWithoutSecrets(attributes, at, found) : attributes
}

function holdsSecret(value: Json): boolean {
	if (Array.isArray(value)) return value.some(holdsSecret)
	if (!isObject(value)) return false
	for (const key in value) if (secrets.has(key) || holdsSecret(value[key] ?? null)) return true
	return false
}

function copyWithoutSecrets(attributes: Attributes, at: string, found: Found | undefined): Attributes {
	const others: { [key: string]: Json } = {}
	for (const [key, value] of Object.entries(attributes)) {
		const here = found ? memberPath(at, key) : ''
		if (secrets.has(key)) found?.(here)
		else others[key] = withoutNestedSecrets(value, here, found)
	}
	return others
}

function withoutNestedSecrets(value: Json, at: string, found: Found | undefined): Json {
	if (Array.isArray(value)) return value.map((item, i) => withoutNestedSecrets(item, found ? `${at}[${i}]` : '', found))
	return isObject(value) ? copyWithoutSecrets(value, at, found) : value
}

// Array.isArray does not narrow a readonly list.
function isObject(value: Json): value is Attributes {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
