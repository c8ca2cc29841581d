/** Our own JSON as a format: what a backend written for Dragoman speaks. */
import * as v from 'valibot'
import { defineAdapter } from '../../src/format/index.ts'
import { event } from './event.ts'
import { reply } from './reply.ts'

export const canonical = defineAdapter({
	name: 'canonical',
	options: v.strictObject({}),
	examples: [{}],
	// The laws hold every event and reply against the model, which is this format.
	create: () => ({
		methods: ['POST'],
		event,
		reply: () => reply,
	}),
})
