/** The body of a request, straight from Node's parser: a web stream around it costs more than most turns. */
import type { IncomingMessage } from 'node:http'
import type { ByteSource } from '../http/index.ts'
import { afterRound } from './after-round.ts'

/** The body of a request that nobody has read from. Fails if the sender breaks off. */
export function incomingSource(incoming: IncomingMessage): ByteSource {
	return async (take) => {
		// By then most bodies are there, behind their heads, so that nothing has to be listened to.
		await new Promise<void>(afterRound)
		if (incoming.readableEnded) return
		if (incoming.destroyed) throw brokenOff()
		if (!incoming.complete) return await takeAsItComes(incoming, take)
		for (let chunk: Uint8Array | null = incoming.read(); chunk !== null; chunk = incoming.read()) take(chunk)
	}
}

function takeAsItComes(incoming: IncomingMessage, take: (chunk: Uint8Array) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		const onData = (chunk: Uint8Array) => {
			try {
				take(chunk)
			} catch (thrown) {
				// Nobody wants the rest: @hono/node-server ends the connection once the answer has left.
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
	})
}

function brokenOff(): Error {
	return new Error('The sender broke off')
}
