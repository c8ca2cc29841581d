/** The body of a request, straight from Node's parser: a web stream around it costs more than most turns. */
import type { IncomingMessage } from 'node:http'
import type { ByteSource } from '../http/index.ts'
import { afterRound } from './after-round.ts'

type Take = Parameters<ByteSource>[0]

export function incomingSource(incoming: IncomingMessage): ByteSource {
	return (take) =>
		new Promise<void>((resolve, reject) => {
			// By then most bodies are there, behind their heads, so that nothing has to be listened to.
			afterRound(() => {
				if (incoming.readableEnded) resolve()
				else if (incoming.destroyed) reject(brokenOff())
				else if (incoming.complete) takeWhatIsThere(incoming, take, resolve, reject)
				else takeAsItComes(incoming, take, resolve, reject)
			})
		})
}

function takeWhatIsThere(
	incoming: IncomingMessage,
	take: Take,
	resolve: () => void,
	reject: (error: unknown) => void,
): void {
	try {
		for (let chunk: Uint8Array | null = incoming.read(); chunk !== null; chunk = incoming.read()) take(chunk)
		resolve()
	} catch (thrown) {
		reject(thrown)
	}
}

function takeAsItComes(
	incoming: IncomingMessage,
	take: Take,
	resolve: () => void,
	reject: (error: unknown) => void,
): void {
	const onData = (chunk: Uint8Array) => {
		try {
			take(chunk)
		} catch (thrown) {
			// What is left is not for anyone: @hono/node-server ends the connection once the answer has left.
			incoming.pause()
			end(() => reject(thrown))
		}
	}
	const onEnd = () => end(() => afterRound(resolve))
	const onError = (error: Error) => end(() => reject(error))
	const onClose = () => end(() => (incoming.readableEnded ? resolve() : reject(brokenOff())))
	const end = (settle: () => void) => {
		incoming.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
		settle()
	}
	incoming.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
}

function brokenOff(): Error {
	return new Error('The sender broke off')
}
