/** Reads a configuration into routes, or lists every mistake. */
export { ConfigError } from './issues.ts'
export type { OutboxSettings } from './outbox-settings.ts'
export { readConfig, readOutbox } from './read-config.ts'
export { Config } from './schema.ts'
export type { Environment } from './secrets.ts'
export type { ConfigContext } from './upstreams.ts'
