import { testAdapter } from '../../test/adapter.ts'
import { pingstreams } from './index.ts'

testAdapter(pingstreams, {
	fixtures: new URL('./fixtures/', import.meta.url),
	options: [
		{},
		{ dialect: 'server', proof: 'token' },
		{ dialect: 'server', silence: 'Hm.', caption: 'File' },
		{ dialect: 'external', proof: 'token' },
		{ dialect: 'subscription', proof: 'hook-secret' },
	],
})
