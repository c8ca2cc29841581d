/** A command that is ready to run, and what several commands do alike. */
import type { ChatBotClient, Webhook, WebhookSettings } from '../../../adapters/chatbot/management/index.ts'
import type { Given } from './arguments.ts'
import { type Change, describeChange, differenceOf } from './difference.ts'
import { createMask, secretsOf } from './masked.ts'

/** Exit codes. */
export const exit = { ok: 0, failed: 1, usage: 2, different: 3 }

/** A command that is ready to run. */
export interface Job {
	readonly given: Given
	readonly client: ChatBotClient
	/** All of the settings for `create` and `sync`; those that were given for `update`. */
	readonly wanted: Partial<WebhookSettings>
	readonly say: (line: string) => void
	readonly report: (line: string) => void
}

/** The client checks the settings again, and names what is missing. */
export function complete({ name = '', url = '', ...rest }: Partial<WebhookSettings>): WebhookSettings {
	return { name, url, ...rest }
}

/** Reports what lasts for longer than a second. */
export function eachSecond(report: (line: string) => void): (read: number) => void {
	let reportedAt = performance.now()
	return (read) => {
		if (performance.now() - reportedAt < 1000) return
		reportedAt = performance.now()
		report(`${read} webhooks read`)
	}
}

/** Sets a webhook, and reads it again: the documents do not say what becomes of settings that are left out. Returns what still differs. */
export async function set(
	client: ChatBotClient,
	{ id, ...present }: Webhook,
	desired: WebhookSettings,
	{ apiToken }: Given,
): Promise<readonly Change[]> {
	await client.update(id, desired)
	const mask = createMask([apiToken, ...secretsOf(desired), ...secretsOf(present)])
	return differenceOf(await client.show(id), desired, mask)
}

/** Reports what a change left as it was. Returns the exit code. */
export function conclude(left: readonly Change[], report: Job['report']): number {
	if (left.length === 0) return exit.ok
	report('ChatBot accepted the change, and yet did not make all of it:')
	for (const change of left) report(`  ${describeChange(change)}`)
	return exit.failed
}
