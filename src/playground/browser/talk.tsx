/** The page on which one talks to a bot as a user of each platform, through the gateway. */
import { createRoot } from 'hono/jsx/dom/client'
import type { Choice } from '../../model/index.ts'
import type { SeenPush } from '../pushes.ts'
import type { TalkAnswer, TalkPlace, TalkRequest } from '../talk.ts'
import { ask } from './ask.ts'
import { byId } from './page.ts'
import { type Pane, PaneView } from './pane.tsx'

/** What the demo bot understands. */
const hints = ['help', 'choices', 'cards', 'buttons', 'image', 'attributes']

/** Pushes that are kept for a conversation that may still come: those of another page never do. */
const maxUnclaimed = 100

const chats = createRoot(byId('chats'))
const words = byId('words', HTMLInputElement)

let panes = (await ask<TalkPlace[]>('/api/places')).map(newPane)
show()

byId('say').addEventListener('submit', (event) => {
	event.preventDefault()
	sayToAll(words.value)
	words.value = ''
})
byId('open').addEventListener('click', () => {
	for (const pane of panes) void act(pane, { start: true }, 'opens the chat')
})
byId('again').addEventListener('click', () => {
	panes = panes.map(({ place }) => newPane(place))
	show()
	words.focus()
})

if (panes.some(({ place }) => place.isDemo)) {
	createRoot(byId('hints')).render(
		<>
			<span>The demo bot knows</span>
			{hints.map((hint) => (
				<button type="button" class="quiet" onClick={() => sayToAll(hint)}>
					{hint}
				</button>
			))}
		</>,
	)
}

/** Pushes to conversations that the page does not know yet: the answer with their id is still on its way. */
let unclaimed: SeenPush[] = []
new EventSource('/api/pushes').addEventListener('push', ({ data }) => {
	const push: SeenPush = JSON.parse(data)
	unclaimed = [...unclaimed, push].slice(-maxUnclaimed)
	claim()
})

/** Shows the pushes whose conversation is on the page. */
function claim(): void {
	unclaimed = unclaimed.filter(({ platform, conversation, reply, held }) => {
		const pane = panes.find(({ place, conversation: own }) => place.platform === platform && own === conversation)
		if (!pane) return true
		for (const [value, each] of held) pane.held.set(value, each)
		pane.entries.push({ by: 'push', reply })
		return false
	})
	show()
}

function newPane(place: TalkPlace): Pane {
	return { place, id: `${place.route}-${place.platform}`, entries: [], waiting: 0, held: new Map() }
}

function sayToAll(text: string): void {
	for (const pane of panes) void act(pane, { text }, text)
}

/** Does something as the user of a platform, and shows what comes of it. */
async function act(pane: Pane, action: TalkRequest['action'], shown: string): Promise<void> {
	const { place, conversation, user } = pane
	pane.entries.push({ by: 'user', words: shown, isWords: !('start' in action) })
	pane.waiting++
	show()
	try {
		const answer = await ask<TalkAnswer>('/api/talk', {
			route: place.route,
			platform: place.platform,
			action,
			...(conversation !== undefined && { conversation }),
			...(user !== undefined && { user }),
		} satisfies TalkRequest)
		pane.conversation = answer.conversation
		pane.user = answer.user
		for (const [value, held] of answer.held) pane.held.set(value, held)
		pane.entries.push({ by: 'bot', answer })
		claim()
	} catch (thrown) {
		pane.entries.push({ by: 'playground', words: thrown instanceof Error ? thrown.message : String(thrown) })
	}
	pane.waiting--
	show()
}

function choose(pane: Pane, choice: Choice): void {
	if (!('value' in choice)) return
	const held = pane.held.get(choice.value)
	const action = { choice: { value: choice.value, label: choice.title }, ...(held !== undefined && { held }) }
	void act(pane, action, choice.title)
}

function show(): void {
	chats.render(
		panes.map((pane) => (
			<PaneView
				key={pane.id}
				pane={pane}
				say={(text) => void act(pane, { text }, text)}
				choose={(choice) => choose(pane, choice)}
			/>
		)),
	)
	for (const log of document.querySelectorAll('.log')) log.scrollTop = log.scrollHeight
}
