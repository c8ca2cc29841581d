/** The answers that several routes of the API give. */
import { type ApiAnswer, type CanonicalReply, jsonResponse, type WireResponse } from '../../../src/format/index.ts'

export function accepted(body: object, seen?: CanonicalReply): ApiAnswer {
	return { response: jsonResponse(body), ...(seen && { seen }) }
}

export function refused(status: number, body: object): ApiAnswer {
	return { response: jsonResponse(body, status) }
}

export const unauthorized: WireResponse = {
	status: 401,
	headers: [['content-type', 'text/plain']],
	body: 'Unauthorized',
}
export const notFound: ApiAnswer = {
	response: { status: 404, headers: [['content-type', 'text/plain']], body: 'Not Found' },
}

export function invalidField(param: string): ApiAnswer {
	return refused(422, { errors: [{ msg: 'Invalid value', param, location: 'body' }] })
}

export const missingObject = () => jsonResponse({ success: false, msg: 'Object not found.' }, 404)
export const missingRequest = () => jsonResponse({ success: false, msg: 'Request not found' }, 404)
export const brokenObject = () => jsonResponse({ success: false, msg: 'Error updating object.' }, 500)
export const brokenDepartment = () => jsonResponse({ success: false, msg: 'Error changing the department.' }, 500)
export const brokenParticipants = () => jsonResponse({ success: false, error: 'Error changing the participants' }, 500)
