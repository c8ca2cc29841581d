/** The variables that the platform fills in: Tiledesk/tiledesk-chatbot, tiledeskChatbotPlugs/Filler.js, engine/TiledeskChatbotConst.js. */
import type { CanonicalEvent, MergeTags } from '../../src/format/index.ts'

/** Attributes of the flow, and the engine's own names for what the event holds elsewhere. */
export const mergeTags: MergeTags = {
	spellings: [
		{ open: '${', close: '}' },
		{ open: '{{', close: '}}' },
	],
	fieldOf: (name, event) => (Object.hasOwn(fields, name) ? fields[name]?.(event) : undefined),
}

const fields: { readonly [name: string]: (event: CanonicalEvent) => string | undefined } = {
	userFullname: ({ user }) => user?.name,
	userEmail: ({ user }) => user?.email,
	userPhone: ({ user }) => user?.phone,
	userLeadId: ({ user }) => user?.id,
	user_id: ({ user }) => user?.id,
	user_language: ({ language }) => language,
	last_user_text: ({ text }) => text,
	lastUserText: ({ text }) => text,
	conversation_id: ({ conversation }) => conversation,
	chatbot_name: ({ bot }) => bot?.name,
	chatbot_id: ({ bot }) => bot?.id,
	project_id: ({ bot }) => bot?.project,
	chatChannel: ({ channel }) => channel,
}
