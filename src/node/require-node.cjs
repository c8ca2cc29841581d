/** Ends the process, with one sentence, if its Node is too old for the gateway. Its own syntax is that of Node 12. */
'use strict'

// Read as a file: the compiler would put a copy of what is required into the package.
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know the protocol.
const file = require('fs').readFileSync(require.resolve('dragoman/package.json'), 'utf8')
const required = JSON.parse(file).engines.node.replace('>=', '')
const actual = process.versions.node

if (isOlder(actual.split('.').map(Number), required.split('.').map(Number))) {
	console.error(`Dragoman needs Node ${required} or newer; this is ${actual}.`)
	process.exit(1)
}

function isOlder(version, other) {
	return version[0] === other[0] ? version[1] < other[1] : version[0] < other[0]
}
