/** Keeps what the user wrote in the fragment of the page's address, compressed: a link then shares it, and no server sees it. */

/** Bytes, decompressed: a link is somebody else's, and may hold anything. */
const maxBytes = 1024 * 1024

/** The fragment for a text. */
async function pack(text: string): Promise<string> {
	const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'))
	const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
	return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** The text of a fragment; undefined if it is none, or too large. */
export async function unpack(fragment: string): Promise<string | undefined> {
	try {
		const bytes = Uint8Array.fromBase64(fragment, { alphabet: 'base64url' })
		const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
		const chunks: Uint8Array<ArrayBuffer>[] = []
		let size = 0
		for await (const chunk of stream) {
			size += chunk.byteLength
			if (size > maxBytes) return undefined
			chunks.push(chunk)
		}
		return await new Blob(chunks).text()
	} catch {
		return undefined
	}
}

/** Makes a button put a link to what is written on the clipboard. */
export function offerLink(button: HTMLButtonElement, text: () => string): void {
	const label = button.textContent
	button.addEventListener('click', async () => {
		history.replaceState(null, '', `#${await pack(text())}`)
		await navigator.clipboard.writeText(location.href)
		button.textContent = 'Copied'
		setTimeout(() => (button.textContent = label), 2000)
	})
}
