/** Opens the stored events for administration, wherever they are stored. */
import type { OutboxSettings } from '../../config/index.ts'
import type { Records } from './records.ts'

/** Opens the stored events beside gateways that may be running. Rejects with an OutboxError or a DatabaseUnusable. */
export async function openRecords(settings: OutboxSettings): Promise<Records> {
	if ('file' in settings) return (await import('./admin.ts')).openAdmin(settings)
	return (await import('./postgres/admin.ts')).openPostgresAdmin(settings)
}
