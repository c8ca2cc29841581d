/** An editor for JSON that shows mistakes at their line, and knows what may be written where. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import {
	bracketMatching,
	forceParsing,
	HighlightStyle,
	indentOnInput,
	indentUnit,
	syntaxHighlighting,
} from '@codemirror/language'
import { type Diagnostic, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type * as v from 'valibot'
import { completeFrom } from './completions.ts'
import { firstSyntaxError, placeOf } from './json-places.ts'
import { mistakeNotes, showNotes } from './mistake-notes.ts'
import type { WrittenMistake } from './mistakes.ts'

/** The editor of a page. */
export interface JsonEditor {
	readonly text: string
	replace(text: string): void
	/** Shows these mistakes in place, and no others. */
	mark(mistakes: readonly WrittenMistake[]): void
	/** Selects what a path names, and moves the focus there. */
	reveal(path: string): void
}

/** What an editor edits, and who hears of it. */
interface EditorOptions {
	/** What it is called for screen readers. */
	readonly label: string
	readonly text: string
	/** What the document is to match. */
	readonly schema: v.GenericSchema
	changed(text: string): void
}

// The browser applies a sheet of a shadow root without a style element, which the policy of the page would refuse.
const theme = EditorView.theme({
	'&': { height: '100%', fontSize: '13px', backgroundColor: 'var(--surface)', color: 'var(--text)' },
	'&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
	'.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
	'.cm-content': { caretColor: 'var(--accent)', padding: '12px 0' },
	'.cm-cursor': { borderLeftColor: 'var(--accent)' },
	'.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none' },
	'.cm-activeLine': { backgroundColor: 'var(--hover)' },
	'.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
		backgroundColor: 'var(--select)',
	},
	'.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--select)', outline: 'none' },
	'.cm-tooltip': {
		backgroundColor: 'var(--surface)',
		color: 'var(--text)',
		border: '1px solid var(--line)',
		borderRadius: '6px',
	},
	'.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
	'.cm-completionDetail': { fontStyle: 'normal', opacity: '0.8', marginLeft: '1em' },
	'.cm-note': { color: 'var(--lost)', fontFamily: 'var(--sans)', paddingLeft: '1.5em' },
	'.cm-lintRange-error': { backgroundImage: 'none', borderBottom: '2px dotted var(--lost)' },
})

const colours = HighlightStyle.define([
	{ tag: tags.propertyName, color: 'var(--text)', fontWeight: '600' },
	{ tag: tags.string, color: 'var(--code-string)' },
	{ tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
	{ tag: [tags.punctuation, tags.separator, tags.bracket], color: 'var(--muted)' },
])

/** Puts an editor into an element. */
export function createEditor(into: HTMLElement, { label, text, schema, changed }: EditorOptions): JsonEditor {
	const root = into.attachShadow({ mode: 'open' })
	const view = new EditorView({
		root,
		parent: root,
		state: EditorState.create({
			doc: text,
			extensions: [
				lineNumbers(),
				history(),
				drawSelection(),
				indentOnInput(),
				bracketMatching(),
				closeBrackets(),
				highlightActiveLine(),
				EditorView.lineWrapping,
				EditorState.tabSize.of(2),
				indentUnit.of('  '),
				json(),
				autocompletion({ override: [completeFrom(schema)] }),
				mistakeNotes,
				theme,
				syntaxHighlighting(colours),
				// Tab is not among them: it leaves the editor.
				keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
				EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
				EditorView.updateListener.of((update) => {
					if (update.docChanged) changed(update.state.doc.toString())
				}),
			],
		}),
	})
	const place = ({ path, isSyntax }: WrittenMistake) => {
		if (!isSyntax) return placeOf(view.state, path)
		const from = firstSyntaxError(view.state)
		return { from, to: from }
	}
	return {
		get text() {
			return view.state.doc.toString()
		},
		replace(text) {
			view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
		},
		mark(mistakes) {
			forceParsing(view, view.state.doc.length)
			const found = mistakes.map((mistake): Diagnostic => {
				const { from, to } = place(mistake)
				const end = Math.min(to, view.state.doc.lineAt(from).to)
				const message = mistake.path === '' ? mistake.words : `${mistake.path}: ${mistake.words}`
				return { from, to: end, severity: 'error', message }
			})
			view.dispatch(setDiagnostics(view.state, found))
			view.dispatch({ effects: showNotes.of(mistakes.map((each) => ({ at: place(each).from, words: each.words }))) })
		},
		reveal(path) {
			forceParsing(view, view.state.doc.length)
			const { from, to } = placeOf(view.state, path)
			view.dispatch({
				selection: { anchor: from, head: to },
				effects: EditorView.scrollIntoView(from, { y: 'center' }),
			})
			view.focus()
		},
	}
}
