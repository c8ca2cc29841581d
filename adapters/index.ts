/** The one list of adapters. */
import type { AdapterFactory } from '../src/format/index.ts'
import { botdistrikt } from './botdistrikt/index.ts'
import { canonical } from './canonical/index.ts'
import { chatbotV1 } from './chatbot-v1/index.ts'
import { chatbotV2 } from './chatbot-v2/index.ts'
import { pingstreams } from './pingstreams/index.ts'
import { snatchbotJsonApi } from './snatchbot-json-api/index.ts'
import { snatchbotWebhook } from './snatchbot-webhook/index.ts'

/** Every adapter that a configuration can name. */
export const adapters: readonly AdapterFactory[] = [
	canonical,
	chatbotV1,
	chatbotV2,
	botdistrikt,
	snatchbotWebhook,
	snatchbotJsonApi,
	pingstreams,
]
