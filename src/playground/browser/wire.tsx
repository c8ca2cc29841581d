/** What goes over the wire, in a drawer. */
import type { Fields, PushCall, WireRequest, WireResponse } from '../../format/index.ts'

/** An HTTP message in readable form: its first line, its headers, and its body, indented where it is JSON. */
export function Wire({
	name,
	messages,
}: {
	name: string
	messages: readonly (WireRequest | WireResponse | PushCall)[]
}) {
	return (
		<details class="wire">
			<summary>{name}</summary>
			{messages.map((message) => (
				<pre tabIndex={0}>{wireText(message)}</pre>
			))}
		</details>
	)
}

/** A message as text. */
export function wireText(message: WireRequest | WireResponse | PushCall): string {
	const first = 'status' in message ? `HTTP ${message.status}` : `${message.method} ${targetOf(message)}`
	return [first, ...message.headers.map(([name, value]) => `${name}: ${value}`), '', indented(message.body)].join('\n')
}

function targetOf(message: WireRequest | PushCall): string {
	if ('path' in message) return message.path
	return message.query.length === 0 ? '' : `?${new URLSearchParams(pairs(message.query))}`
}

function pairs(fields: Fields): string[][] {
	return fields.map(([name, value]) => [name, value])
}

function indented(body: string): string {
	try {
		return JSON.stringify(JSON.parse(body), null, 2)
	} catch {
		return body
	}
}
