/** `dragoman init`: writes a first configuration, by questions or by options. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { adapters } from '../../../adapters/index.ts'
import type { AdapterFactory } from '../../format/index.ts'
import { checkConfiguration } from '../configuration.ts'
import { dotenvOf } from '../dotenv.ts'
import { exitCode } from '../exit-code.ts'
import { adapterNamed } from '../simulate/target.ts'
import { writtenCommand } from '../written-command.ts'
import { defineCommand, refuseArguments } from './define-command.ts'
import { UsageError } from './usage-error.ts'

const demoUrl = 'builtin:demo'

export const command = defineCommand({
	name: 'init',
	usage: ['[OPTIONS]'],
	about: [
		'Writes a first configuration, with a route for each platform. Asks for what no option says; without a terminal to ask in, it takes the defaults.',
	],
	options: {
		platform: {
			type: 'string',
			multiple: true,
			value: 'NAME',
			about: `a platform that calls: ${adapters.map(({ name }) => name).join(', ')} (default: canonical)`,
		},
		upstream: { type: 'string', value: 'URL', about: 'URL of your backend (default: a demo bot inside the gateway)' },
		secrets: {
			type: 'boolean',
			about: 'require a secret on each route, and write new ones to .env beside the configuration',
		},
	},
	examples: [
		['dragoman init', 'asks which platforms call, and where your backend is'],
		['dragoman init --platform canonical --upstream http://127.0.0.1:9000/ --secrets', 'asks nothing'],
	],
	exitCodes: '0 success, 1 there is a configuration already, 2 wrong usage',
	async run({ values, positionals }, { configFile }) {
		refuseArguments(positionals)
		if (existsSync(configFile)) {
			console.error(`${configFile} exists already. Name another file with --config, or delete it first.`)
			return exitCode.failed
		}
		const answers = process.stdin.isTTY ? await ask(values) : values
		const names = answers.platform ?? ['canonical']
		const platforms = [...new Set(names)].map((name) => adapterNamed(name, adapters))
		const routes = platforms.map(({ name, examples: [options] }) => ({
			...{ name, path: `/${name}`, platform: name },
			...(JSON.stringify(options) !== '{}' && { options }),
			...(answers.secrets && { secrets: [{ env: variableOf(name) }] }),
		}))
		const json = { ...schemaOf(configFile), upstream: { url: answers.upstream ?? demoUrl }, routes }
		refuseMistakes(json, platforms)
		await mkdir(dirname(configFile), { recursive: true })
		await writeFile(configFile, `${JSON.stringify(json, null, '\t')}\n`, { flag: 'wx' })
		console.log(`Wrote ${configFile}: ${routes.map(({ path }) => path).join(', ')} -> ${json.upstream.url}`)
		if (answers.secrets) await writeSecrets(dotenvOf(configFile), platforms)
		const also = configFile === 'config/gateway.json' ? '' : ` --config ${configFile}`
		console.log(`
Next:
  ${writtenCommand(`check${also}`)}
  ${writtenCommand(`start --watch${also}`)}
  ${writtenCommand(`simulate --route ${platforms[0]?.name}${also}`)}`)
		return exitCode.ok
	},
})

interface Answers {
	readonly platform?: readonly string[] | undefined
	readonly upstream?: string | undefined
	readonly secrets?: boolean | undefined
}

/** Asks for what is not given yet. */
async function ask({ platform, upstream, secrets }: Answers): Promise<Answers> {
	const input = createInterface({ input: process.stdin, output: process.stdout })
	try {
		const platforms = platform ?? (await askPlatforms(input))
		const url = upstream ?? (await input.question(`URL of your backend [${demoUrl}]: `)).trim()
		const wanted = secrets ?? /^y/i.test(await input.question('Require a secret on each route? [y/N]: '))
		return { platform: platforms, secrets: wanted, ...(url !== '' && { upstream: url }) }
	} finally {
		input.close()
	}
}

async function askPlatforms(input: Interface): Promise<readonly string[] | undefined> {
	console.log('Which platforms call?\n')
	for (const [i, { name }] of adapters.entries()) console.log(`  ${i + 1}) ${name}`)
	for (;;) {
		const answer = (await input.question('\nNumbers or names, separated by commas [1]: ')).trim()
		if (answer === '') return undefined
		const named = answer.split(/[\s,]+/).map((each) => adapters[Number(each) - 1]?.name ?? each)
		try {
			for (const name of named) adapterNamed(name, adapters)
			return named
		} catch (thrown) {
			if (!(thrown instanceof UsageError)) throw thrown
			console.log(thrown.message)
		}
	}
}

/** The schema of the configuration, where it is in the same project. */
function schemaOf(configFile: string): { $schema?: string } {
	const file = fileURLToPath(import.meta.resolve('dragoman/gateway.schema.json'))
	const isNear = !relative(process.cwd(), file).startsWith('..')
	const path = relative(dirname(resolve(configFile)), file)
	return isNear ? { $schema: path.startsWith('.') ? path : `./${path}` } : {}
}

function refuseMistakes(json: unknown, platforms: readonly AdapterFactory[]): void {
	const env = Object.fromEntries(platforms.map(({ name }) => [variableOf(name), newSecret()]))
	const checked = checkConfiguration({ json, adapters, mistakes: [], env }, true)
	if ('mistakes' in checked) throw new UsageError(checked.mistakes.join('\n'))
}

function variableOf(name: string): string {
	return `${name.toUpperCase().replaceAll('-', '_')}_SECRET`
}

function newSecret(): string {
	return randomBytes(24).toString('hex')
}

/** Adds a secret for each platform that has none yet. Nobody else may read the file. */
async function writeSecrets(file: string, platforms: readonly AdapterFactory[]): Promise<void> {
	const present = existsSync(file) ? await readFile(file, 'utf8') : ''
	const known = Object.keys(parseEnv(present))
	const missing = platforms.map(({ name }) => variableOf(name)).filter((name) => !known.includes(name))
	const start = present === '' || present.endsWith('\n') ? '' : '\n'
	await appendFile(file, `${start}${missing.map((name) => `${name}=${newSecret()}\n`).join('')}`, { mode: 0o600 })
	console.log(`Wrote ${file}: ${missing.join(', ')}. Keep it out of version control.`)
}
