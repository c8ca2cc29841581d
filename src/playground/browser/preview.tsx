/** The page that previews one reply on every platform at once, computed here by the gateway's own code. */
import { createRoot } from 'hono/jsx/dom/client'
import { adapters } from '../../../adapters/index.ts'
import type { Adapter } from '../../format/index.ts'
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

interface Variants {
	readonly name: string
	/** The adapter with each of the options that it has as examples. */
	readonly variants: readonly { readonly options: string; readonly adapter: Adapter }[]
	/** The index of the one that is shown. */
	shown: number
}

const platforms: readonly Variants[] = adapters.map(({ name, examples, create }) => ({
	name,
	variants: examples.map((options) => ({ options: JSON.stringify(options), adapter: create(options) })),
	shown: 0,
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
		.flatMap((platform) => {
			const variant = platform.variants[platform.shown]
			return variant ? [{ platform, preview: previewReply(written.value, variant.adapter) }] : []
		})
		.sort((a, b) => lossOf(b.preview) - lossOf(a.preview))
	const strings = stringsOf(written.value)
	wall.render(
		previews.map(({ platform, preview }) => (
			<Platform
				key={platform.name}
				name={platform.name}
				options={platform.variants.map(({ options }) => options)}
				shownOptions={platform.shown}
				chooseOptions={(index) => {
					platform.shown = index
					show(editor.text)
				}}
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
