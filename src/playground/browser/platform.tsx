/** One reply on one platform. */
import type { CanonicalReply } from '../../model/index.ts'
import type { ReplyPreview } from '../../simulator/index.ts'
import { Changes } from './changes.tsx'
import { Chat } from './chat.tsx'
import { Limits } from './limits.tsx'
import { Wire } from './wire.tsx'
import { severityOf, summaryOf } from './words.ts'

interface PlatformProps {
	readonly name: string
	/** The options that the adapter can have here, as JSON, and the index of those that it has. */
	readonly options: readonly string[]
	readonly shownOptions: number
	chooseOptions(index: number): void
	readonly preview: ReplyPreview
	readonly source: CanonicalReply
	/** Every string of the reply. */
	readonly strings: ReadonlySet<string>
	/** Shows the place of a change in the reply. */
	reveal(path: string): void
}

const ways: { readonly [via in ReplyPreview['via']]: string } = {
	answer: 'in the answer to the call',
	push: 'by the API of the platform',
	nothing: 'reads no answer: the user sees nothing',
}

/** A chat, what was changed for it, the limits it comes near to, and what goes over the wire. */
export function Platform({ name, preview, source, strings, reveal, ...choice }: PlatformProps) {
	const { via, shown, changes, limits, wire } = preview
	const messages = 'status' in wire ? [wire] : wire
	return (
		<article class="platform" aria-labelledby={`platform-${name}`}>
			<header>
				<h2 id={`platform-${name}`}>{name}</h2>
				<p class={`summary summary-${severityOf(changes)}`}>{summaryOf(changes)}</p>
				<p class="via">{ways[via]}</p>
				<Options name={name} {...choice} />
			</header>
			<Chat
				label={`What the user sees on ${name}`}
				reply={shown}
				options={{ isAsWritten: (text) => strings.has(text) }}
			/>
			<Changes changes={changes} source={source} reveal={reveal} />
			<Limits limits={limits} />
			{messages.length > 0 && <Wire name="On the wire" messages={messages} />}
		</article>
	)
}

/** The options of the platform's adapter, where there is a choice. */
function Options({
	name,
	options,
	shownOptions,
	chooseOptions,
}: Pick<PlatformProps, 'name' | 'options' | 'shownOptions' | 'chooseOptions'>) {
	if (options.length < 2) return null
	const choose = ({ currentTarget }: Event) => {
		if (currentTarget instanceof HTMLSelectElement) chooseOptions(currentTarget.selectedIndex)
	}
	return (
		<select class="options" aria-label={`Options of ${name}`} onChange={choose}>
			{options.map((each, i) => (
				<option selected={i === shownOptions}>{each === '{}' ? 'default options' : each}</option>
			))}
		</select>
	)
}
