/** Programs of others that are tried where they are there. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

/** With the folders of what only root may run, and of the servers of PostgreSQL, which Debian puts beside each other. */
export const path = [process.env.PATH, '/usr/sbin', '/sbin', ...globSync('/usr/lib/postgresql/*/bin')].join(':')

/** Whether a program is there to be tried; CI installs those that it names in `DRAGOMAN_NEEDS`, and misses none of them. */
export function has(program: string): boolean {
	const needed = process.env.DRAGOMAN_NEEDS?.split(' ').includes(program) ?? false
	return needed || spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: path } }).status === 0
}
