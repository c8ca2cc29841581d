/**
 * Declares the parts of undici that the gateway imports by their files. Its main file also loads fetch, WebSocket, caches
 * and mocks, which the gateway never uses and which take twice as long to load as all the rest.
 */
declare module 'undici/lib/dispatcher/pool.js' {
	import { Pool } from 'undici'
	export default Pool
}

declare module 'undici/lib/core/connect.js' {
	import { buildConnector } from 'undici'
	export default buildConnector
}

declare module 'undici/lib/core/errors.js' {
	import { errors } from 'undici'
	export const ConnectTimeoutError: typeof errors.ConnectTimeoutError
}
