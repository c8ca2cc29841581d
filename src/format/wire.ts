/** HTTP messages as plain data. */

/** Headers, or the fields of a query or a form. Names may repeat, and the order matters. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** An HTTP request as plain data. Header names are lower case; the body is well-formed Unicode. */
export interface WireRequest {
	readonly method: string
	readonly query: Fields
	readonly headers: Fields
	readonly body: string
}

/** An HTTP response as plain data. */
export interface WireResponse {
	readonly status: number
	readonly headers: Fields
	readonly body: string
}

/** The media type of a message in lower case, without parameters; empty if it has none. */
export function mediaType(message: { readonly headers: Fields }): string {
	const type = message.headers.find(([name]) => name === 'content-type')?.[1] ?? ''
	const end = type.indexOf(';')
	return (end === -1 ? type : type.slice(0, end)).trim().toLowerCase()
}
