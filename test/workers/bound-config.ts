/** In place of the configuration that is bundled with the Worker: the one of a binding, so that one bundle serves all tests. */
import { env } from 'cloudflare:workers'

export default Reflect.get(env, 'GATEWAY_CONFIG')
