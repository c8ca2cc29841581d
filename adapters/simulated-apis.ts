/**
 * The one place for simulated APIs, by the name of the adapter. Apart from the adapters, because no gateway runs them: a
 * Worker's bundle would contain what its adapters name.
 */
import type { ManagementApiOptions, SimulatedApi, SimulatedManagementApi } from '../src/format/index.ts'
import { simulatedApi as chatbotApi } from './chatbot/management/simulated.ts'
import { simulatedApi as pingstreamsApi } from './pingstreams/simulated-api/index.ts'

/** Makes the API of a platform, with nothing in it. */
export const managementApis: { readonly [adapter: string]: (options: ManagementApiOptions) => SimulatedManagementApi } =
	{ 'chatbot-v1': chatbotApi, 'chatbot-v2': chatbotApi }

/** Makes the API for the conversations of a platform, which knows those that it has admitted. */
export const conversationApis: { readonly [adapter: string]: () => SimulatedApi } = { pingstreams: pingstreamsApi }
