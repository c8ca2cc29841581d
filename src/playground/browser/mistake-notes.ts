/** Mistakes in words, at the end of the line that each is on. */
import { StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, WidgetType } from '@codemirror/view'

/** A mistake at a position of the document. */
interface Note {
	readonly at: number
	readonly words: string
}

/** Replaces the notes that are shown. */
export const showNotes = StateEffect.define<readonly Note[]>()

class NoteWidget extends WidgetType {
	readonly words: string

	constructor(words: string) {
		super()
		this.words = words
	}

	override eq(other: NoteWidget): boolean {
		return other.words === this.words
	}

	override toDOM(): HTMLElement {
		const element = document.createElement('span')
		element.className = 'cm-note'
		element.textContent = this.words
		return element
	}
}

/** Shows the notes. While the text changes they move along. */
export const mistakeNotes = StateField.define<DecorationSet>({
	create: () => Decoration.none,
	update(notes, { changes, effects, state }) {
		for (const effect of effects) {
			if (!effect.is(showNotes)) continue
			const widgets = effect.value.map(({ at, words }) =>
				Decoration.widget({ widget: new NoteWidget(words), side: 1 }).range(state.doc.lineAt(at).to),
			)
			return Decoration.set(widgets, true)
		}
		return notes.map(changes)
	},
	provide: (field) => EditorView.decorations.from(field),
})
