/** The page that previews one reply on every platform at once, computed here by the gateway's own code. */
import { createRoot } from 'hono/jsx/dom/client'
import { adapters } from '../../../adapters/index.ts'
import type { NamedAdapter } from '../../format/index.ts'
import { CanonicalReply } from '../../model/index.ts'
import { previewReply, type ReplyPreview } from '../../simulator/index.ts'
import { examples } from '../examples.ts'
import { createEditor } from './editor.ts'
import { Mistakes } from './mistake-list.tsx'
import { readReply } from './mistakes.ts'
import { byId } from './page.ts'
import { Platform } from './platform.tsx'
import { offerLink, unpack } from './share.ts'
import { weightOf } from './words.ts'

const platforms: readonly NamedAdapter[] = adapters.map(({ name, examples, create }) => ({
	name,
	adapter: create(examples[0]),
}))

const wall = createRoot(byId('wall'))
const mistakeList = createRoot(byId('mistakes'))
const picker = byId('example', HTMLSelectElement)

const shared = await unpack(location.hash.slice(1))
const editor = createEditor(byId('editor'), {
	label: 'The reply, as JSON',
	text: shared ?? JSON.stringify(examples[0].reply, null, 2),
	schema: CanonicalReply,
	changed: show,
})
show(editor.text)

picker.addEventListener('change', () => {
	const example = examples[Number(picker.value)]
	if (example) editor.replace(JSON.stringify(example.reply, null, 2))
})

offerLink(byId('share', HTMLButtonElement), () => editor.text)

function show(text: string): void {
	const written = readReply(text)
	const mistakes = 'mistakes' in written ? written.mistakes : []
	// Not while the editor tells of its change.
	queueMicrotask(() => editor.mark(mistakes))
	mistakeList.render(<Mistakes mistakes={mistakes} whole="the whole reply" reveal={editor.reveal} />)
	byId('wall').classList.toggle('stale', mistakes.length > 0)
	if ('mistakes' in written) return
	const previews = platforms
		.map(({ name, adapter }) => ({ name, preview: previewReply(written.value, adapter) }))
		.sort((a, b) => lossOf(b.preview) - lossOf(a.preview))
	const strings = stringsOf(written.value)
	wall.render(
		previews.map(({ name, preview }) => (
			<Platform
				key={name}
				name={name}
				preview={preview}
				source={written.value}
				strings={strings}
				reveal={editor.reveal}
			/>
		)),
	)
}

function lossOf({ via, changes }: ReplyPreview): number {
	return via === 'nothing' ? Number.POSITIVE_INFINITY : weightOf(changes)
}

/** Every string of a value: what the author wrote. */
function stringsOf(value: unknown): Set<string> {
	if (typeof value === 'string') return new Set([value])
	if (typeof value !== 'object' || value === null) return new Set()
	return new Set(Object.values(value).flatMap((member) => [...stringsOf(member)]))
}
