/** What the API's answers mean: its errors have no single shape (Tiledesk/tiledesk-server, app.js, routes, middleware). */
import * as v from 'valibot'
import { judgeStatus, type PushVerdict, readJson, type WireResponse } from '../../../src/format/index.ts'

/** UTF-16 units of a reason: more is no sentence of the API. */
const longestReason = 200

const none = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(schema), undefined)
const Words = none(v.pipe(v.string(), v.nonEmpty()))
/** The members that may hold the reason, the best one first. */
const Refusal = v.object({
	msg: Words,
	error: Words,
	message: Words,
	err: Words,
	errors: none(
		v.union([
			v.pipe(
				v.looseTuple([v.object({ msg: v.string() })]),
				v.transform(([{ msg }]) => msg),
			),
			v.pipe(
				v.looseTuple([v.string()]),
				v.transform(([text]) => text),
			),
		]),
	),
})

/** Judges answers to calls with this token, which no reason repeats. */
export function judge(token: string): (answer: WireResponse) => PushVerdict {
	return ({ status, body }) => {
		const reason = reasonOf(body, token)
		// The participant to remove is not in the conversation.
		const isDone = status === 400 && reason?.startsWith('Unable to remove the participant')
		return isDone ? { result: 'accepted' } : judgeStatus(status, reason)
	}
}

function reasonOf(body: string, token: string): string | undefined {
	const { msg, error, message, err, errors } = read(body)
	const reason = (msg ?? error ?? message ?? err ?? errors ?? body).slice(0, 2 * longestReason + token.length)
	const bare = reason.replaceAll(token, '…').replace(/\beyJ[\w.-]+/g, '…')
	return bare.replace(/\s+/g, ' ').trim().slice(0, longestReason).toWellFormed() || undefined
}

function read(body: string): v.InferOutput<typeof Refusal> {
	try {
		return v.parse(Refusal, readJson(body))
	} catch {
		return { msg: undefined, error: undefined, message: undefined, err: undefined, errors: undefined }
	}
}
