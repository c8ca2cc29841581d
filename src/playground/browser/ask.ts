/** Asks the server of the playground. */

/** The JSON at an address. Rejects with what the server says, where that is no success. */
export async function ask<Answer>(path: string, body?: object): Promise<Answer> {
	const answer = await send(path, body)
	// The pages and their server are of one build.
	const json: Answer = await answer.json()
	return json
}

/** The words with which the server answers. Rejects as `ask`. */
export async function tell(path: string, body: object): Promise<string> {
	return await (await send(path, body)).text()
}

async function send(path: string, body: object | undefined): Promise<Response> {
	const headers = { 'content-type': 'application/json' }
	const answer = await fetch(path, body && { method: 'POST', headers, body: JSON.stringify(body) })
	if (!answer.ok) throw new Error((await answer.text()) || `Status ${answer.status}`)
	return answer
}
