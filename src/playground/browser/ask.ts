/** Asks the server of the playground. */

/** The JSON at an address. Rejects with what the server says, where that is no success. */
export async function ask<Answer>(path: string, body?: object): Promise<Answer> {
	const init = body && {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	}
	const answer = await fetch(path, init)
	if (!answer.ok) throw new Error((await answer.text()) || `Status ${answer.status}`)
	// The pages and their server are of one build.
	const json: Answer = await answer.json()
	return json
}
