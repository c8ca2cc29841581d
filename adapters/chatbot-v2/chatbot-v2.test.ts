/** ChatBot v2 under the laws and its fixtures; the limits are those that the platform documents. */
import { testAdapter } from '../../test/adapter.ts'
import { chatbotV2 } from './index.ts'
import { limits } from './limits.ts'

testAdapter(chatbotV2, { fixtures: new URL('./fixtures/', import.meta.url), limits })
