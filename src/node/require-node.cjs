/** Ends the process, with one sentence, if its Node is too old for the gateway. Its own syntax is that of Node 12. */
'use strict'

const required = require('dragoman/package.json').engines.node.replace('>=', '')
const actual = process.versions.node

if (isOlder(actual.split('.').map(Number), required.split('.').map(Number))) {
	console.error(`Dragoman needs Node ${required} or newer; this is ${actual}.`)
	process.exit(1)
}

function isOlder(version, other) {
	return version[0] === other[0] ? version[1] < other[1] : version[0] < other[0]
}
