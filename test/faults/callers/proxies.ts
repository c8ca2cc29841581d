/** Proxies as people put them in front of a gateway, as processes: those that are installed. */

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { folder } from '../../harness/scope.ts'
import { exchange, freePort } from '../../harness/sockets.ts'
import { has, path } from '../../tools.ts'
import type { Trial } from '../row.ts'
import { plain } from './messages.ts'

export interface Front {
	readonly name: string
	readonly url: string
}

/** How each is told to pass on to a port of this machine what comes to another: its configuration, its arguments. */
const kinds: {
	readonly [name: string]: (at: string, listen: number, to: string) => { config: string; args: string[] }
} = {
	nginx: (at, listen, to) => {
		const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${at}/tmp;`)
		const user = process.getuid?.() === 0 ? 'user root;' : ''
		// Connections to the gateway are shared by those who call, so that what one of them left behind meets the next.
		return {
			config: `daemon off; master_process off; pid ${at}/pid; error_log ${at}/errors; ${user}
			events {} http { access_log off; ${temporary.join(' ')} upstream gateway { server 127.0.0.1:${to}; keepalive 8; }
			server { listen 127.0.0.1:${listen}; location / {
			proxy_pass http://gateway; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
			args: ['-c', join(at, 'config'), '-p', at, '-e', join(at, 'errors')],
		}
	},
	haproxy: (at, listen, to) => ({
		config: `defaults\n mode http\n timeout connect 5s\n timeout client 10s\n timeout server 10s\n http-reuse always
listen gateway\n bind 127.0.0.1:${listen}\n server gateway 127.0.0.1:${to}\n`,
		args: ['-db', '-f', join(at, 'config')],
	}),
	caddy: (at, listen, to) => ({
		config: `{\n admin off\n auto_https off\n}
http://127.0.0.1:${listen}, http://gateway.test:${listen} {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:${to}\n}\n`,
		args: ['run', '--adapter', 'caddyfile', '--config', join(at, 'config')],
	}),
}

/** Starts those that are installed in front of a port of this machine; they end with the row. */
export async function startProxies(trial: Trial, port: string) {
	const proxies: Front[] = []
	const missing: string[] = []
	for (const [name, tell] of Object.entries(kinds)) {
		if (!has(name)) {
			missing.push(name)
			continue
		}
		const at = folder(trial)
		mkdirSync(join(at, 'tmp'))
		const listen = await freePort()
		const { config, args } = tell(at, listen, port)
		writeFileSync(join(at, 'config'), config)
		const child = spawn(name, args, { stdio: 'ignore', env: { PATH: path, HOME: at } })
		trial.after(() => child.kill('SIGKILL'))
		const url = `http://127.0.0.1:${listen}`
		await passesOn(url, () => {
			if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
		})
		proxies.push({ name, url })
	}
	return { proxies, missing }
}

/** Waits until what is sent there is answered; ten seconds at most. */
async function passesOn(url: string, lives: () => void): Promise<void> {
	for (let tries = 0; tries < 200; tries++) {
		lives()
		const { statuses } = await exchange(url, plain, { quiet: 20, patience: 500 })
		if (statuses[0] === 200) return
		await wait(50)
	}
	throw new Error(`${url} does not pass on what it gets`)
}
