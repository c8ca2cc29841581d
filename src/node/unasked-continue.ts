/** Lets undici read a `100 Continue` that nobody asked for: by itself, it ends the connection (RFC 9110, section 15.2). */
import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'

/** A connector whose connections show undici each `100` as a `102`, which it counts as interim and skips. */
export function acceptContinue(connect: buildConnector.connector): buildConnector.connector {
	return (options, callback) =>
		connect(options, (...result) => {
			const [, socket] = result
			if (socket) renameContinue(socket)
			callback(...result)
		})
}

function renameContinue(socket: Socket): void {
	const read = socket.read.bind(socket)
	let written = -1
	let answer = newAnswer()
	socket.read = (size) => {
		const bytes: Buffer | null = read(size)
		if (bytes === null) return bytes
		// One request a time, written whole: more bytes were written, so another answer begins.
		const { bytesWritten } = socket
		if (bytesWritten !== written) {
			written = bytesWritten
			answer = newAnswer()
		}
		renameIn(bytes, answer)
		return bytes
	}
}

/** How far an answer was read. */
interface Answer {
	/** The final status has begun: what follows is not looked at. */
	isFinal: boolean
	/** Bytes of the current head, and of its current line without the line's end. */
	inHead: number
	inLine: number
	/** Whether the status began with `10`. */
	mayBeContinue: boolean
}

function newAnswer(): Answer {
	return { isFinal: false, inHead: 0, inLine: 0, mayBeContinue: false }
}

/** Where the three digits are in `HTTP/1.1 100`. */
const [first, second, third] = [9, 10, 11]
const [lineFeed, carriageReturn, zero, one, two] = [0x0a, 0x0d, 0x30, 0x31, 0x32]

function renameIn(bytes: Buffer, answer: Answer): void {
	for (let i = 0; i < bytes.length && !answer.isFinal; i++) {
		const byte = bytes[i]
		if (answer.inHead === first && byte !== one) answer.isFinal = true
		else if (answer.inHead === second) answer.mayBeContinue = byte === zero
		else if (answer.inHead === third && answer.mayBeContinue && byte === zero) bytes[i] = two
		answer.inHead++
		if (byte !== lineFeed) answer.inLine += byte === carriageReturn ? 0 : 1
		else if (answer.inLine > 0) answer.inLine = 0
		else answer.inHead = 0
	}
}
