/** The client of ChatBot's API for webhooks, public as `dragoman/chatbot`. */
export {
	type CallOptions,
	type ChatBotClient,
	type ChatBotClientOptions,
	createChatBotClient,
	type ListOptions,
	type OldWebhooks,
} from './client.ts'
export { ChatBotError, type ChatBotErrorCode, type ChatBotErrorDetails } from './error.ts'
export {
	type ListedWebhook,
	managedPlatform,
	NewWebhook,
	type Outcome,
	type Webhook,
	type WebhookFailure,
	WebhookSettings,
} from './webhook.ts'
