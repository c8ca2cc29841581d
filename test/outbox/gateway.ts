/** A gateway with an outbox as a process of its own, for those who end it. Tells its URL on standard output. */
import { canonical } from '../../adapters/canonical/index.ts'
import { serve } from '../../src/node/serve.ts'
import { oneWay } from './one-way.ts'

const { CONFIG = '{}', ...env } = process.env
const gateway = await serve({ config: JSON.parse(CONFIG), adapters: [canonical, oneWay], env, log() {} })
process.once('SIGTERM', async () => {
	await gateway.close()
	process.exit(0)
})
console.log(gateway.url)
