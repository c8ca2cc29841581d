/** Runs before `npm start` and ends it, with one sentence, if the dependencies are missing or Node is too old. */
'use strict'

const { dependencies } = require('../package.json')

if (!Object.keys(dependencies).every(isInstalled)) {
	console.error('Run npm ci first.')
	process.exit(1)
}

require('../src/node/require-node.cjs')

function isInstalled(name) {
	try {
		return require.resolve(name) !== ''
	} catch {
		return false
	}
}
