/** A platform that reads no answer: the gateway's own JSON, one way. */
import { canonical } from '../../adapters/canonical/index.ts'
import { defineAdapter } from '../../src/format/index.ts'

export const oneWay = defineAdapter({
	...canonical,
	name: 'one-way',
	create: () => ({ ...canonical.create(), reply: () => undefined }),
})
