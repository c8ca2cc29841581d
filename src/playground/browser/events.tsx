/** The page that previews one event, or one call of a platform, in the format of every upstream. */
import { createRoot } from 'hono/jsx/dom/client'
import { adapters } from '../../../adapters/index.ts'
import type { NamedAdapter, WireRequest } from '../../format/index.ts'
import { CanonicalEvent } from '../../model/index.ts'
import { type EventPreview, previewEvent } from '../../simulator/index.ts'
import { exampleEvent } from '../examples.ts'
import { Changes } from './changes.tsx'
import { createEditor } from './editor.ts'
import { Mistakes } from './mistake-list.tsx'
import { type CallDocument, readCall, readEvent } from './mistakes.ts'
import { byId } from './page.ts'
import { offerLink, unpack } from './share.ts'
import { wireText } from './wire.tsx'
import { severityOf, summaryOf, weightOf } from './words.ts'

const formats: readonly NamedAdapter[] = adapters.map(({ name, examples, create }) => ({
	name,
	adapter: create(examples[0]),
}))

const wall = createRoot(byId('wall'))
const mistakeList = createRoot(byId('mistakes'))
const kind = byId('kind', HTMLSelectElement)

/** The platform whose call is written; undefined: an event is. */
const chosen = (): NamedAdapter | undefined => formats.find(({ name }) => name === kind.value)

kind.append(...formats.map(({ name }) => new Option(`A call of ${name}`, name)))
const shared = await unpack(location.hash.slice(1))
// The kind is the first line.
const [sharedKind = '', ...sharedLines] = shared?.split('\n') ?? []
if (shared !== undefined) kind.value = sharedKind

const editor = createEditor(byId('editor'), {
	label: 'The event, or the call, as JSON',
	text: shared === undefined ? exampleText() : sharedLines.join('\n'),
	schema: CanonicalEvent,
	changed: show,
})
kind.addEventListener('change', () => editor.replace(exampleText()))
offerLink(byId('share', HTMLButtonElement), () => `${kind.value}\n${editor.text}`)
show(editor.text)

function exampleText(): string {
	const platform = chosen()
	if (!platform) return JSON.stringify(exampleEvent, null, 2)
	return JSON.stringify(documentOf(previewEvent(exampleEvent, platform.adapter).call), null, 2)
}

function documentOf({ method, query, headers, body }: WireRequest): CallDocument {
	const parts = { method, ...(query.length > 0 && { query: pairs(query) }) }
	const isJson = /json/.test(headers.find(([name]) => name === 'content-type')?.[1] ?? '')
	if (isJson) return { ...parts, json: JSON.parse(body) }
	return { ...parts, headers: pairs(headers), ...(body !== '' && { body }) }
}

function pairs(fields: WireRequest['query']): [string, string][] {
	return fields.map(([name, value]) => [name, value])
}

function show(text: string): void {
	const platform = chosen()
	const written = platform ? readCall(text, platform.adapter) : readEvent(text)
	const mistakes = 'mistakes' in written ? written.mistakes : []
	// Not while the editor tells of its change.
	queueMicrotask(() => editor.mark(mistakes))
	mistakeList.render(
		<Mistakes mistakes={mistakes} whole={platform ? 'the whole call' : 'the whole event'} reveal={editor.reveal} />,
	)
	byId('wall').classList.toggle('stale', mistakes.length > 0)
	if ('mistakes' in written) return
	const event = written.value
	const previews = formats
		.map(({ name, adapter }) => ({ name, preview: previewEvent(event, adapter) }))
		.sort((a, b) => weightOf(b.preview.changes) - weightOf(a.preview.changes))
	wall.render(
		previews.map(({ name, preview }) => (
			<Format key={name} name={name} preview={preview} source={event} reveal={platform ? () => {} : editor.reveal} />
		)),
	)
}

interface FormatProps {
	readonly name: string
	readonly preview: EventPreview
	readonly source: CanonicalEvent
	reveal(path: string): void
}

/** What an upstream of one format would get, and what it would not. */
function Format({ name, preview: { changes, call, event }, source, reveal }: FormatProps) {
	return (
		<article class="platform" aria-labelledby={`format-${name}`}>
			<header>
				<h2 id={`format-${name}`}>{name}</h2>
				<p class={`summary summary-${severityOf(changes)}`}>{summaryOf(changes)}</p>
				<p class="via">
					{event.kind === source.kind ? `a ${event.kind}` : `a ${source.kind}, sent as a ${event.kind}`}
				</p>
			</header>
			<pre class="chat wire-text" tabIndex={0}>
				{wireText(call)}
			</pre>
			<Changes changes={changes} source={source} reveal={reveal} />
		</article>
	)
}
