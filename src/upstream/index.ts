/** Calls the backend: endpoints, circuit breaker, limits, signature. */
export { type CallLimits, callUpstream } from './call.ts'
export { createConcurrencyLimit } from './concurrency-limit.ts'
export { demo } from './demo.ts'
export { createEndpoint } from './endpoint.ts'
export { isPublicAddress, mayBePublic } from './public-address.ts'
export { readRetryAfter } from './retry-after.ts'
export type { Upstream } from './upstream.ts'
export { upstreamUrl } from './upstream-url.ts'
