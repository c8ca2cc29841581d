/** The bindings of wrangler.toml, as the tests that run in workerd have them. */
import { env } from 'cloudflare:workers'
import type { Bindings } from '../../src/worker/bindings.ts'

declare global {
	namespace Cloudflare {
		interface Env extends Bindings {}
	}
}

export const bindings: Bindings = env
