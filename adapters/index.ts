/** The one list of adapters. */
import type { AdapterFactory } from '../src/adapter.ts'
import { canonical } from './canonical/index.ts'
import { chatbotV1 } from './chatbot-v1/index.ts'
import { chatbotV2 } from './chatbot-v2/index.ts'
import { pingstreams } from './pingstreams/index.ts'

/** Every adapter that a configuration can name. */
export const adapters: readonly AdapterFactory[] = [canonical, chatbotV1, chatbotV2, pingstreams]
