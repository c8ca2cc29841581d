/** Finds the elements that the server has put on a page. */

/** The element with an id. Throws if the page has none, or another kind of element. */
export function byId(id: string): HTMLElement
export function byId<E extends HTMLElement>(id: string, kind: new () => E): E
export function byId(id: string, kind: new () => HTMLElement = HTMLElement): HTMLElement {
	const element = document.getElementById(id)
	if (element instanceof kind) return element
	throw new Error(`The page has no ${kind.name} "${id}".`)
}
