/** Finds in the text of a JSON document what a path of the gateway names. */
import { syntaxTree } from '@codemirror/language'
import type { EditorState } from '@codemirror/state'
import type { SyntaxNode } from '@lezer/common'
import { keysOfPath } from './paths.ts'

type Keys = readonly (string | number)[]

/** A part of the document. */
export interface Place {
	readonly from: number
	readonly to: number
}

/** Where the path leads, or the innermost value on the way to it, where it leads nowhere. */
export function placeOf(state: EditorState, path: string): Place {
	let node = rootOf(syntaxTree(state).topNode)
	let place: Place = node ?? { from: 0, to: 0 }
	for (const key of keysOfPath(path)) {
		const next = node && memberOf(state, node, key)
		if (!next) break
		place = next.place
		node = next.value
	}
	return { from: place.from, to: place.to }
}

/** The keys that lead to the object, if a position is at one of its names, or else to the value there. */
export function pathAt(state: EditorState, position: number): { readonly path: Keys; readonly inName: boolean } {
	let node: SyntaxNode | null = syntaxTree(state).resolveInner(position, -1)
	while (node?.type.isError) node = node.parent
	const inName = node?.name === 'PropertyName' || node?.name === 'Object'
	if (node?.name === 'PropertyName') node = node.parent?.parent ?? null
	const path: (string | number)[] = []
	for (; node; node = node.parent) {
		const { parent, from }: SyntaxNode = node
		const name = node.name === 'Property' ? node.getChild('PropertyName') : null
		if (name) path.unshift(nameOf(state, name))
		if (parent?.name === 'Array') path.unshift(itemsOf(parent).findIndex((item) => item.from === from))
	}
	return { path, inName }
}

/** The position of the first thing that is no JSON. */
export function firstSyntaxError(state: EditorState): number {
	let found: number | undefined
	syntaxTree(state).iterate({
		enter(node) {
			if (node.type.isError) found ??= node.from
		},
	})
	return found ?? state.doc.length
}

function rootOf(node: SyntaxNode): SyntaxNode | null {
	return node.name === 'JsonText' ? node.firstChild : node
}

function memberOf(
	state: EditorState,
	node: SyntaxNode,
	key: string | number,
): { readonly place: Place; readonly value: SyntaxNode | null } | undefined {
	if (node.name === 'Array' && typeof key === 'number') {
		const item = itemsOf(node)[key]
		return item && { place: item, value: item }
	}
	if (node.name !== 'Object') return undefined
	for (const property of node.getChildren('Property')) {
		const name = property.getChild('PropertyName')
		if (name && nameOf(state, name) === String(key)) return { place: property, value: property.lastChild }
	}
	return undefined
}

function itemsOf(array: SyntaxNode): SyntaxNode[] {
	const items: SyntaxNode[] = []
	for (let child = array.firstChild; child; child = child.nextSibling) {
		if (!child.type.isError && !/^[[\],]$/.test(child.name)) items.push(child)
	}
	return items
}

function nameOf(state: EditorState, { from, to }: SyntaxNode): string {
	try {
		return String(JSON.parse(state.sliceDoc(from, to)))
	} catch {
		return ''
	}
}
