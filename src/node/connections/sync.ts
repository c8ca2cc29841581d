/** The command `dragoman connections sync`: brings the webhook of a route in line with the configuration. */
import type { ChatBotClient, Webhook, WebhookSettings } from '../../../adapters/chatbot/management/index.ts'
import { type Given, UsageError } from './arguments.ts'
import { type Change, describeChange, differenceOf } from './difference.ts'
import { complete, conclude, eachSecond, exit, type Job, set } from './job.ts'
import { createMask, type Mask, secretsOf } from './masked.ts'

/** Shows how the webhook of a route differs from the configuration, and changes it if that was asked for. Returns the exit code. */
export async function sync({ given, client, wanted, say, report }: Job): Promise<number> {
	const { route = '', story, apply, json, apiToken } = given
	const present = await find(client, given, complete(wanted), report)
	// Headers and basic authentication are no part of a route, so that those of the webhook stay.
	const { headers, auth } = present ?? {}
	const desired = { ...(headers && { headers }), ...(auth && { auth }), ...complete(wanted) }
	const mask = createMask([apiToken, ...secretsOf(desired), ...secretsOf(present ?? {})])
	const changes = differenceOf(present, desired, mask)
	const action = !present ? 'create' : changes.length === 0 ? 'none' : 'update'
	if (!json) for (const line of describeSync(route, present, changes, mask)) say(line)
	let id = present?.id
	let left: readonly Change[] = []
	if (apply && action === 'create') {
		if (story === undefined)
			throw new UsageError('The route has no webhook yet. To create it, give its story: --story ID')
		id = (await client.create({ storyId: story, ...desired })).id
	} else if (apply && present && action === 'update') left = await set(client, present, desired, given)
	const isDone = action === 'none' || apply
	if (json) say(JSON.stringify({ route, action, id, changes, applied: isDone, left }, null, 2))
	else if (action === 'create' && apply) say(`Webhook ${mask(id ?? '')} created.`)
	else if (action === 'update' && apply) say(`Webhook ${mask(id ?? '')} updated.`)
	else if (!isDone) say('Nothing was changed. Add --apply to change it.')
	return isDone ? conclude(left, report) : exit.different
}

function describeSync(route: string, present: Webhook | undefined, changes: readonly Change[], mask: Mask): string[] {
	if (!present)
		return [`Route ${route} has no webhook. It would be:`, ...changes.map((each) => `  ${describeChange(each)}`)]
	const webhook = `Webhook ${mask(present.id)}`
	if (changes.length === 0) return [`${webhook} is as route ${route} needs it.`]
	return [`${webhook} differs from route ${route}:`, ...changes.map((each) => `  ${describeChange(each)}`)]
}

/** The webhook that is meant: by its id, else the one with the route's URL, else the one with its name. */
async function find(
	client: ChatBotClient,
	{ id, story, apiToken }: Given,
	{ name, url }: WebhookSettings,
	report: (line: string) => void,
): Promise<Webhook | undefined> {
	if (id !== '') return client.show(id)
	const all = await client.list({ onProgress: eachSecond(report) })
	const ofStory = story === undefined ? all : all.filter((webhook) => (webhook.story?.id ?? story) === story)
	const withUrl = ofStory.filter((webhook) => isSameUrl(webhook.url, url))
	const [first, ...others] = withUrl.length > 0 ? withUrl : ofStory.filter((webhook) => webhook.name === name)
	if (others.length > 0) {
		const ids = [first, ...others].flatMap((webhook) => webhook?.id ?? []).slice(0, 10)
		const listed = createMask([apiToken])(ids.join(', '))
		throw new UsageError(`${others.length + 1} webhooks could be meant. Choose one with --id: ${listed}`)
	}
	return first && client.show(first.id)
}

function isSameUrl(one: string, other: string): boolean {
	return one === other || (URL.parse(one)?.href ?? one) === (URL.parse(other)?.href ?? other)
}
