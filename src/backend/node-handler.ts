/** Serves a backend with `node:http` or Express, by the parts of their requests and responses that it needs. */
import type { SignedCall } from './signature.ts'

/** The part of an `IncomingMessage` that is read. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
	readonly method?: string | undefined
	readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
	/** Whether somebody has read the body. */
	readonly readableDidRead: boolean
}

/** The part of a `ServerResponse` that is written. */
export interface NodeResponse {
	statusCode: number
	setHeader(name: string, value: string): unknown
	end(body: string): unknown
}

type Take = (method: string, call: SignedCall) => Promise<Response>

/** Reads a call, and writes what `take` answers. Errors go to `next`, or become a 500. Never rejects. */
export async function handleNode(
	request: NodeRequest,
	response: NodeResponse,
	take: Take,
	next: ((error: unknown) => void) | undefined,
): Promise<void> {
	try {
		const body = await readText(request)
		const answer = await take(request.method ?? 'GET', { header: (name) => single(request.headers[name]), body })
		response.statusCode = answer.status
		answer.headers.forEach((value, name) => {
			response.setHeader(name, value)
		})
		response.end(await answer.text())
	} catch (thrown) {
		if (next) return next(thrown)
		console.error(thrown)
		response.statusCode = 500
		response.end('')
	}
}

async function readText(request: NodeRequest): Promise<string> {
	if (request.readableDidRead) throw new Error('The body was read before: mount the backend before express.json()')
	const decoder = new TextDecoder()
	let text = ''
	for await (const chunk of request) {
		text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
	}
	return text + decoder.decode()
}

function single(value: string | readonly string[] | undefined): string | undefined {
	return typeof value === 'string' ? value : value?.[0]
}
