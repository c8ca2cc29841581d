/** One platform's chat with the bot. */
import type { CanonicalReply, Choice } from '../../model/index.ts'
import { describeChange } from '../../simulator/index.ts'
import type { TalkAnswer, TalkPlace } from '../talk.ts'
import { Reply } from './chat.tsx'
import { Wire } from './wire.tsx'

/** What was said in a chat. */
type Entry =
	| { readonly by: 'user'; readonly words: string; readonly isWords: boolean }
	| { readonly by: 'bot'; readonly answer: TalkAnswer }
	| { readonly by: 'push'; readonly reply: CanonicalReply }
	| { readonly by: 'playground'; readonly words: string }

/** A conversation on one platform. */
export interface Pane {
	readonly place: TalkPlace
	readonly id: string
	readonly entries: Entry[]
	/** Calls that are under way. */
	waiting: number
	conversation?: string | undefined
	user?: string | undefined
	readonly held: Map<string, string>
}

interface PaneProps {
	readonly pane: Pane
	say(text: string): void
	choose(choice: Choice): void
}

/** The chat, with a line to write in. */
export function PaneView({ pane, say, choose }: PaneProps) {
	const { place, id, entries, waiting } = pane
	const send = (event: Event) => {
		event.preventDefault()
		const form = event.currentTarget
		if (!(form instanceof HTMLFormElement)) return
		const text = new FormData(form).get('words')
		form.reset()
		if (typeof text === 'string') say(text)
	}
	return (
		<article class="platform" aria-labelledby={`chat-${id}`}>
			<header>
				<h2 id={`chat-${id}`}>{place.platform}</h2>
				<p class="via">{place.readsAnswers ? `route ${place.route}` : `route ${place.route}; reads no answer`}</p>
			</header>
			<div class="chat log" role="log" aria-label={`Chat on ${place.platform}`} tabIndex={0}>
				{entries.map((entry) => (
					<EntryView entry={entry} choose={choose} />
				))}
				{waiting > 0 && (
					<p class="bubble typing">
						<span class="hidden">The bot is typing</span>
						<i />
						<i />
						<i />
					</p>
				)}
			</div>
			<form class="line" onSubmit={send}>
				<input
					name="words"
					autocomplete="off"
					maxLength={10000}
					required
					aria-label={`Say something on ${place.platform}`}
				/>
				<button type="submit" class="quiet">
					Send
				</button>
			</form>
		</article>
	)
}

function EntryView({ entry, choose }: { readonly entry: Entry; choose(choice: Choice): void }) {
	if (entry.by === 'user') {
		return entry.isWords ? <p class="bubble own">{entry.words}</p> : <p class="aside own">The user {entry.words}</p>
	}
	if (entry.by === 'playground') return <p class="aside refused">{entry.words}</p>
	if (entry.by === 'push') {
		return (
			<div class="turn">
				<p class="aside">Pushed by the API of the platform</p>
				<Reply reply={entry.reply} options={{ choose }} />
			</div>
		)
	}
	const { answer } = entry
	const messages = [answer.call, answer.answer].filter((message) => message !== undefined)
	return (
		<div class="turn">
			{answer.lost.length > 0 && (
				<details class="aside">
					<summary>
						The platform cannot express {answer.lost.length === 1 ? '1 part' : `${answer.lost.length} parts`} of this
					</summary>
					<ul>
						{answer.lost.map((change) => (
							<li>{describeChange(change)}</li>
						))}
					</ul>
				</details>
			)}
			{answer.reply && <Reply reply={answer.reply} options={{ choose }} />}
			{answer.refusal && <Refusal refusal={answer.refusal} />}
			{!answer.reply && !answer.refusal && <p class="nothing">The platform reads no answer.</p>}
			<div class="foot">
				<span>{answer.ms} ms</span>
				<Wire name="Wire" messages={messages} />
			</div>
		</div>
	)
}

function Refusal({ refusal: { why, shown } }: { readonly refusal: NonNullable<TalkAnswer['refusal']> }) {
	return (
		<>
			<p class="aside refused">{why}</p>
			{shown.length > 0 && (
				<Reply reply={{ messages: [...shown], attributes: { session: {}, user: {} } }} options={{}} />
			)}
		</>
	)
}
