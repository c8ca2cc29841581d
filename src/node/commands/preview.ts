/** `dragoman preview`: one reply on every platform, with what is lost. */
import { readFile } from 'node:fs/promises'
import { styleText } from 'node:util'
import { adapters } from '../../../adapters/index.ts'
import { GatewayError } from '../../errors.ts'
import type { CanonicalEvent, CanonicalReply, Change } from '../../model/index.ts'
import { describeChange, previewReply, type ReplyPreview, renderReply } from '../../simulator/index.ts'
import { exitCode } from '../exit-code.ts'
import { adapterNamed } from '../simulate/target.ts'
import { defineCommand } from './define-command.ts'
import { UsageError } from './usage-error.ts'

export const command = defineCommand({
	name: 'preview',
	usage: ['REPLY.json [--platform NAME]... [--json]'],
	about: [
		"Shows one reply of a backend as the users of every platform would see it, and what was changed on the way. The platform with the worst losses comes first, and each platform's worst losses. Sends nothing.",
		'REPLY.json is a reply in the gateway’s own JSON; - reads it from standard input.',
	],
	options: {
		platform: { type: 'string', multiple: true, value: 'NAME', about: 'only this platform' },
		json: { type: 'boolean', default: false, about: 'print JSON' },
	},
	examples: [
		['dragoman preview reply.json', 'on every platform'],
		['echo \'{"messages":[{"type":"text","text":"Hi"}]}\' | dragoman preview - --platform canonical', 'on one'],
	],
	exitCodes: '0 success, 1 the reply is invalid, 2 wrong usage',
	async run({ values: { platform, json }, positionals: [file, ...others] }) {
		if (file === undefined || others.length > 0) throw new UsageError('Give one file with a reply.')
		const chosen = platform ? platform.map((name) => adapterNamed(name, adapters)) : adapters
		const reply = readReply(await readText(file), file)
		if (!reply) return exitCode.failed
		const previews = chosen
			.map(({ name, examples: [options], create }) => ({ name, ...previewReply(reply, create(options)) }))
			.toSorted((a, b) => severity(b.changes) - severity(a.changes))
		if (json) console.log(JSON.stringify(previews, null, 2))
		else console.log(previews.map(render).join('\n\n'))
		return exitCode.ok
	},
})

async function readText(file: string): Promise<string> {
	try {
		// Descriptor 0 is standard input.
		return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
	} catch (cause) {
		throw new UsageError(`${file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause })
	}
}

const anyEvent: CanonicalEvent = { kind: 'message', attributes: {} }

/** The reply; undefined if it is invalid, which has been said. */
function readReply(body: string, file: string): CanonicalReply | undefined {
	const leg = adapterNamed('canonical', adapters).create().reply(anyEvent)
	try {
		return leg?.decode({ status: 200, headers: [['content-type', 'application/json']], body }).model
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { mistakes, field, expected } = thrown.context
		console.error(`${file} is no reply: ${thrown.code}.`)
		for (const each of mistakes ?? [{ field: field ?? '', expected }]) {
			console.error(`  ${each.field || '(the whole)'}: ${each.expected ?? 'is invalid'}`)
		}
		return undefined
	}
}

function isLost({ did }: Change): boolean {
	return did === 'dropped' || did === 'shortened'
}

function isAltered({ did }: Change): boolean {
	return did !== 'added'
}

/** What is gone counts for more than any number of things that are only told in another way. */
function severity(changes: readonly Change[]): number {
	return changes.filter(isLost).length * 1000 + changes.filter(isAltered).length
}

function render({ name, via, shown, changes }: ReplyPreview & { readonly name: string }): string {
	const lost = changes.filter(isLost)
	const altered = changes.filter((change) => isAltered(change) && !isLost(change))
	const counts = [
		...(lost.length > 0 ? [styleText('red', `${lost.length} lost`)] : []),
		...(altered.length > 0 ? [styleText('yellow', `${altered.length} changed`)] : []),
	]
	const how = { answer: '', push: ' (through its API)', nothing: ' (reads no answer)' }[via]
	return [
		`${styleText('bold', name)}${how}: ${counts.join(', ') || styleText('green', 'all of it')}`,
		...lost.map((change) => `  ${styleText('red', '-')} ${describeChange(change)}`),
		...altered.map((change) => `  ${styleText('yellow', '~')} ${describeChange(change)}`),
		...renderReply(shown)
			.split('\n')
			.map((line) => `  ${styleText('dim', '|')} ${line}`),
	].join('\n')
}
