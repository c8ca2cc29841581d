/** A backend in TypeScript, with the kit: node backend.ts */
import { createServer } from 'node:http'
import { choices, createBackend, reply } from 'dragoman/backend'

const colours = [
	{ title: 'Red', value: 'red' },
	{ title: 'Green', value: 'green' },
]

const backend = createBackend({
	// As the gateway has it; without a key, calls are not verified.
	keys: process.env.BACKEND_KEY,
	answer({ choice, attributes }) {
		if (choice) return reply(`You chose ${choice.value}.`, { session: { colour: choice.value } })
		if (attributes.colour) return `Your colour is ${attributes.colour}.`
		return reply(['Hello!', choices('Which colour do you like?', colours)])
	},
})

// With Express: app.post('/', backend.node). With Hono: app.post('/', (c) => backend.fetch(c.req.raw)).
createServer(backend.node).listen(Number(process.env.PORT ?? 9000), process.env.HOST ?? '127.0.0.1')
