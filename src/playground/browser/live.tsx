/** The page that shows every turn as it happens. */
import { createRoot } from 'hono/jsx/dom/client'
import { CanonicalEvent, type Json } from '../../model/index.ts'
import type { TurnSummary } from '../live.ts'
import { ask, tell } from './ask.ts'
import { createEditor, type JsonEditor } from './editor.ts'
import { byId } from './page.ts'
import { type DetailedTurn, TurnDetailView } from './turn-detail.tsx'
import { lineHeight, TurnList } from './turn-list.tsx'

/** Turns that the page keeps, as the server does. */
const maxTurns = 10_000

const list = createRoot(byId('list'))
const detail = createRoot(byId('detail'))
const filter = byId('filter', HTMLInputElement)
const pause = byId('pause', HTMLButtonElement)

/** Newest first. */
let turns: TurnSummary[] = []
/** What came while the list was paused, newest first. */
let held: TurnSummary[] = []
let isPaused = false
let server: string | undefined
let scrolled = 0
let chosen: number | undefined
let turn: DetailedTurn | undefined
let said = ''
let planned = false

const stream = new EventSource('/api/turns')
stream.addEventListener('hello', ({ data }) => {
	const name: string = JSON.parse(data)
	// The list comes again from its beginning; of another server, even the numbers are others.
	turns = []
	held = []
	if (server !== undefined && server !== name) {
		chosen = undefined
		turn = undefined
	}
	server = name
	plan()
})
stream.addEventListener('turns', ({ data }) => {
	const lines: TurnSummary[] = JSON.parse(data)
	const news = lines.reverse()
	if (isPaused) held = [...news, ...held].slice(0, maxTurns)
	else turns = [...news, ...turns].slice(0, maxTurns)
	plan()
})
filter.addEventListener('input', plan)
pause.addEventListener('click', () => {
	isPaused = !isPaused
	pause.setAttribute('aria-pressed', String(isPaused))
	if (!isPaused) turns = [...held, ...turns].slice(0, maxTurns)
	held = []
	plan()
})
addEventListener('resize', plan)
plan()

/** Shows everything once, however much has changed since. */
function plan(): void {
	if (planned) return
	planned = true
	requestAnimationFrame(() => {
		planned = false
		show()
	})
}

function show(): void {
	const shown = matching()
	const state = isPaused ? `${held.length} waiting` : shown.length === turns.length ? '' : `of ${turns.length}`
	byId('count').textContent = `${shown.length} turns${state === '' ? '' : `, ${state}`}`
	pause.textContent = isPaused ? 'Go on' : 'Pause'
	list.render(
		<TurnList
			turns={shown}
			chosen={chosen}
			scrolled={scrolled}
			height={byId('list').clientHeight}
			choose={choose}
			step={step}
			scroll={(to) => {
				scrolled = to
				plan()
			}}
		/>,
	)
	detail.render(
		turn ? (
			<TurnDetailView turn={turn} said={said} copyCurl={copyCurl} edit={edit} save={save} />
		) : (
			<p class="nothing empty">
				{said || 'Choose a turn. There is one for each call of a platform: talk on the page Talk, or call the gateway.'}
			</p>
		),
	)
}

function matching(): TurnSummary[] {
	const wanted = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean)
	if (wanted.length === 0) return turns
	return turns.filter(({ id, route, platform, kind, words, error, status }) => {
		const text = [id, route, platform, kind, words, error, status].join(' ').toLowerCase()
		return wanted.every((word) => text.includes(word))
	})
}

async function choose(number: number): Promise<void> {
	chosen = number
	said = ''
	plan()
	try {
		const found = await ask<DetailedTurn>(`/api/turns/${number}`)
		if (chosen === number) turn = found
	} catch (thrown) {
		turn = undefined
		said = wordsOf(thrown)
	}
	plan()
}

/** From the turn that is chosen to one of its neighbours, or to the newest. */
function step(by: number): void {
	const shown = matching()
	const at = shown.findIndex(({ number }) => number === chosen)
	const to = at === -1 ? 0 : at + by
	const next = shown[to]
	if (!next) return
	const rows = document.querySelector('.rows')
	if (rows) {
		const [top, bottom] = [to * lineHeight, (to + 1) * lineHeight]
		if (top < rows.scrollTop) rows.scrollTop = top
		else if (bottom > rows.scrollTop + rows.clientHeight) rows.scrollTop = bottom - rows.clientHeight
	}
	void choose(next.number)
}

function eventOf({ steps }: DetailedTurn): Json | undefined {
	return steps.find(({ name }) => name === 'event')?.value
}

async function copyCurl(): Promise<void> {
	await report(async (turn) => {
		const { route, platform } = turn
		await navigator.clipboard.writeText(await tell('/api/curl', { route, platform, event: eventOf(turn) }))
		return 'Copied.'
	})
}

/** Opens the event in an editor, from which it can be sent again. */
function edit(): void {
	const event = turn && eventOf(turn)
	if (!event) return
	const dialog = document.createElement('dialog')
	dialog.className = 'edit'
	dialog.setAttribute('aria-label', 'Replay with edit')
	const box = document.createElement('div')
	box.className = 'editor'
	const bar = document.createElement('div')
	bar.className = 'bar'
	dialog.append(box, bar)
	document.body.append(dialog)
	const editor: JsonEditor = createEditor(box, {
		label: 'The event, as JSON',
		text: JSON.stringify(event, null, 2),
		schema: CanonicalEvent,
		changed() {},
	})
	const send = (): void => {
		dialog.close()
		void report(async ({ route, platform }) => tell('/api/resend', { route, platform, event: JSON.parse(editor.text) }))
	}
	createRoot(bar).render(
		<>
			<button type="button" class="primary" onClick={send}>
				Send
			</button>
			<button type="button" class="quiet" onClick={() => dialog.close()}>
				Cancel
			</button>
		</>,
	)
	dialog.addEventListener('close', () => dialog.remove())
	dialog.showModal()
}

/** Downloads the chosen turn. `words`: what becomes of what the user wrote. */
async function save(words: 'kept' | 'replaced'): Promise<void> {
	await report(async ({ platform, number }) => {
		const { file } = await ask<DetailedTurn>(`/api/turns/${number}?words=${words}`)
		const link = document.createElement('a')
		link.href = URL.createObjectURL(new Blob([`${JSON.stringify(file, null, '\t')}\n`], { type: 'application/json' }))
		// Digits in front, so that a shell lists the turns of a conversation in their order.
		link.download = `${platform}-${String(number).padStart(5, '0')}.json`
		link.click()
		URL.revokeObjectURL(link.href)
		return savedWords[words]
	})
}

const savedWords = {
	replaced:
		'Saved without names, ids, addresses, attributes and the words of the user. Look through it before you share it: "dragoman replay" replays it.',
	kept: 'Saved with the words of the user, and without names, ids, addresses and attributes. Look through it before you share it: "dragoman replay --backend" asks your backend again.',
}

/** Does something with the chosen turn, and says what came of it. */
async function report(action: (turn: DetailedTurn) => Promise<string>): Promise<void> {
	if (!turn) return
	try {
		said = await action(turn)
	} catch (thrown) {
		said = wordsOf(thrown)
	}
	plan()
}

function wordsOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown)
}
