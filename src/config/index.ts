/** Reads a configuration into routes, or reports everything that is wrong with it. */
export { ConfigError } from './issues.ts'
export type { MetricsSettings } from './metrics-settings.ts'
export type {
	CommonOutboxSettings,
	FileOutboxSettings,
	OutboxSettings,
	PostgresOutboxSettings,
} from './outbox-settings.ts'
export type { PostgresSettings } from './postgres-settings.ts'
export { type GatewaySettings, readConfig, readDatabases, readOutbox } from './read-config.ts'
export { Config } from './schema.ts'
export type { Environment } from './secrets.ts'
export type { StateSettings } from './state-settings.ts'
export type { ConfigContext } from './upstreams.ts'
export { readWebhookRoute, type WebhookRoute } from './webhook-route.ts'
