/** The body of a request, straight from Node's parser: a web stream around it costs more than most turns. */
import type { IncomingMessage } from 'node:http'
import type { ByteSource } from '../http/index.ts'
import { afterRound } from './after-round.ts'

export function incomingSource(incoming: IncomingMessage): ByteSource {
	return (take) =>
		new Promise<void>((resolve, reject) => {
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
			const onClose = () => end(() => (incoming.readableEnded ? resolve() : reject(new Error('The sender broke off'))))
			const end = (settle: () => void) => {
				incoming.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
				settle()
			}
			if (incoming.readableEnded || incoming.destroyed) return onClose()
			incoming.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
		})
}
