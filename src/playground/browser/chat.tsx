/** A reply as the user of a chat sees it. Every text is put on the page as text, whatever it holds. */
import type { Attributes, Button, CanonicalReply, Card, Choice, Json, Message } from '../../model/index.ts'

/** What can be seen, and done, in a chat. */
interface ChatOptions {
	/** Whether a text stands so in what the author wrote; others are marked. Absent: none is marked. */
	isAsWritten?(text: string): boolean
	/** Takes the user's choice. Absent: the choices cannot be pressed. */
	choose?(choice: Choice): void
}

type Options = { readonly options: ChatOptions }

/** A reply in a chat of its own. */
export function Chat({ label, reply, options }: Options & { readonly label: string; readonly reply: CanonicalReply }) {
	return (
		<section class="chat" tabIndex={0} aria-label={label}>
			<Reply reply={reply} options={options} />
		</section>
	)
}

/** The messages of a reply, and below them what else it does. */
export function Reply({ reply, options }: Options & { readonly reply: CanonicalReply }) {
	const effects = effectsOf(reply)
	return (
		<>
			{reply.messages.map((message) => (
				<MessageView message={message} options={options} />
			))}
			{effects.length > 0 && (
				<ul class="effects" aria-label="Beside the messages">
					{effects.map((effect) => (
						<li>{effect}</li>
					))}
				</ul>
			)}
			{reply.messages.length === 0 && effects.length === 0 && <p class="nothing">Nothing to see</p>}
		</>
	)
}

function MessageView({ message, options }: Options & { readonly message: Message }) {
	const wait = message.delay ? <span class="delay">after {message.delay} ms</span> : null
	switch (message.type) {
		case 'text':
			return (
				<div class="message">
					{wait}
					<p class="bubble">
						<Words text={message.text} options={options} />
					</p>
					{message.alternatives?.map((text) => (
						<p class="bubble alternative">
							or: <Words text={text} options={options} />
						</p>
					))}
					<Buttons buttons={message.buttons} options={options} />
				</div>
			)
		case 'choices':
			return (
				<div class="message">
					{wait}
					{message.text !== undefined && (
						<p class="bubble">
							<Words text={message.text} options={options} />
						</p>
					)}
					<div class="choices">
						{message.choices.map((choice) => (
							<ChoiceView choice={choice} options={options} />
						))}
					</div>
				</div>
			)
		case 'cards':
			return (
				<div class="message">
					{wait}
					{/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms. */}
					<div class="cards" role="group" tabIndex={0} aria-label={`${message.cards.length} cards`}>
						{message.cards.map((card) => (
							<CardView card={card} options={options} />
						))}
					</div>
				</div>
			)
		default: {
			const caption = message.type === 'image' ? message.alt : message.name
			return (
				<div class="message">
					{wait}
					<Picture kind={message.type} url={message.url} caption={caption} />
				</div>
			)
		}
	}
}

function CardView({ card: { title, subtitle, imageUrl, url, buttons }, options }: Options & { readonly card: Card }) {
	return (
		<article class="card">
			{imageUrl !== undefined && <Picture kind="image" url={imageUrl} />}
			<p class="card-title">
				<Words text={title} options={options} />
			</p>
			{subtitle !== undefined && (
				<p class="card-subtitle">
					<Words text={subtitle} options={options} />
				</p>
			)}
			{url !== undefined && <p class="address">{url}</p>}
			<Buttons buttons={buttons} options={options} />
		</article>
	)
}

/** The place of a file. It is not loaded: the page asks nobody but the playground. */
function Picture({ kind, url, caption }: { kind: string; url: string; caption?: string | undefined }) {
	return (
		<div class="picture">
			<span class="picture-kind">{kind}</span>
			{caption !== undefined && <span>{caption}</span>}
			<span class="address">{url}</span>
		</div>
	)
}

function Buttons({ buttons = [], options }: Options & { readonly buttons?: readonly Button[] | undefined }) {
	if (buttons.length === 0) return null
	return (
		<div class="buttons">
			{buttons.map((button) => (
				<ButtonView button={button} options={options} />
			))}
		</div>
	)
}

function ButtonView({ button, options }: Options & { readonly button: Button }) {
	switch (button.type) {
		case 'postback':
			return <ChoiceView choice={{ title: button.title, value: button.value }} options={options} />
		case 'goto':
			return <ChoiceView choice={{ title: button.title, target: button.target }} options={options} />
		default: {
			const leadsTo = button.type === 'phone' ? button.number : button.url
			return (
				<span class="choice leads">
					<Words text={button.title} options={options} />
					<span class="address">{leadsTo}</span>
				</span>
			)
		}
	}
}

function ChoiceView({ choice, options }: Options & { readonly choice: Choice }) {
	const { choose } = options
	const words = <Words text={choice.title} options={options} />
	if ('target' in choice) {
		return (
			<span class="choice leads">
				{words}
				<span class="address">jumps to {choice.target}</span>
			</span>
		)
	}
	if (!choose) return <span class="choice">{words}</span>
	return (
		<button type="button" class="choice" onClick={() => choose(choice)}>
			{words}
		</button>
	)
}

/** A text, marked where it is not as written, with the characters shown that nobody could see. */
function Words({ text, options: { isAsWritten } }: Options & { readonly text: string }) {
	const parts = text.split('\u2060')
	const shown = parts.flatMap((part, i) => (i === 0 ? [part] : [<Joiner />, part]))
	return isAsWritten && !isAsWritten(text) ? <mark>{shown}</mark> : <span>{shown}</span>
}

/** Breaks markup, so that a platform shows it and does not execute it. */
function Joiner() {
	return (
		<span class="joiner" title="A word joiner (U+2060), so that the platform does not execute this as markup">
			WJ
		</span>
	)
}

function effectsOf({ attributes, control = {}, overrides = {} }: CanonicalReply): string[] {
	return [
		...Object.entries(control).map(([name, value]) => `${name}: ${inWords(value)}`),
		...attributesInWords('session', attributes.session),
		...attributesInWords('user', attributes.user),
		...Object.entries(overrides).map(([name, value]) => `${name}: ${inWords(value)}`),
	]
}

function attributesInWords(scope: string, attributes: Attributes): string[] {
	return Object.entries(attributes).map(([name, value]) =>
		value === null ? `${scope}.${name} is deleted` : `${scope}.${name} = ${inWords(value)}`,
	)
}

function inWords(value: Json | object | undefined): string {
	return value === true ? 'yes' : JSON.stringify(value)
}
