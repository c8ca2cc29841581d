/** Replaces the text between a pair of markers in a document. Throws if the markers are missing. */
export function replaceBlock(document: string, name: string, content: string): string {
	const [open, close] = [`<!-- ${name}: written by \`npm run docs\` -->`, `<!-- /${name} -->`]
	const [start, end] = [document.indexOf(open), document.indexOf(close)]
	if (start === -1 || end < start) throw new Error(`The markers of "${name}" are missing: ${open} … ${close}`)
	return `${document.slice(0, start)}${open}\n\n${content}\n\n${document.slice(end)}`
}
