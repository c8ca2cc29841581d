/** Processes that are measured: how they start and end, and what the system accounts to them. Linux only: from /proc. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Scope } from '../test/harness/scope.ts'

/** A process that listens. */
export interface Running {
	readonly pid: number
	/** Without a path. */
	readonly url: string
	/** Milliseconds from its start until it said that it listens. */
	readonly startedIn: number
	/** What it has written to its standard error. */
	said(): string
	/** Ends it, and waits until it has ended. */
	end(): Promise<void>
}

export interface Command {
	readonly command: string
	readonly args: readonly string[]
	readonly env?: { readonly [name: string]: string }
	/** A folder for what it writes to its standard output. */
	readonly folder: string
	/** Where it listens. Absent: it says `Listening on URL` on its standard error. */
	readonly url?: string
}

/** Milliseconds for a start. */
const patience = 60_000

/** Starts a process, which ends with the scope. */
export async function run(scope: Scope, { command, args, env = {}, folder, url }: Command): Promise<Running> {
	const from = performance.now()
	const output = openSync(join(folder, 'output.log'), 'a')
	const child = spawn(command, args, {
		cwd: folder,
		env: { PATH: `${process.env.PATH}`, ...env },
		stdio: ['ignore', output, 'pipe'],
	})
	closeSync(output)
	const ended = new Promise<void>((done) => child.once('close', () => done()))
	const end = (): Promise<void> => {
		child.kill('SIGKILL')
		return ended
	}
	scope.after(end)
	let said = ''
	const listening = Promise.withResolvers<string>()
	child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
		said += chunk
		const found = /^Listening on (\S+)$/m.exec(said)?.[1]
		if (found) listening.resolve(found)
	})
	child.once('error', listening.reject)
	ended.then(() => listening.reject(new Error(`${command} has ended: ${said}`)))
	if (url !== undefined) void answers(url).then(() => listening.resolve(url))
	const late = setTimeout(() => listening.reject(new Error(`${command} does not listen: ${said}`)), patience)
	try {
		return {
			url: await listening.promise,
			pid: child.pid ?? 0,
			startedIn: performance.now() - from,
			said: () => said,
			end,
		}
	} finally {
		clearTimeout(late)
	}
}

async function answers(url: string): Promise<void> {
	for (let tries = 0; tries < patience / 20; tries++) {
		const answered = await fetch(url).then(
			() => true,
			() => false,
		)
		if (answered) return
		await wait(20)
	}
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Seconds of CPU, user and system, that a process has used, with all of its threads. */
export function cpuSeconds(pid: number): number {
	const [own] = accounted(pid)
	return own
}

/** The same, with the processes that it has started: those that there are, and those that it has seen end. */
export function cpuSecondsOfAll(pid: number): number {
	const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
	const ofChildren = children.map((child) => {
		try {
			return cpuSeconds(child)
		} catch {
			// It has ended meanwhile.
			return 0
		}
	})
	const [own, ended] = accounted(pid)
	return ofChildren.reduce((sum, each) => sum + each, own + ended)
}

/** Seconds of CPU of a process, and of its children that have ended. */
function accounted(pid: number): readonly [own: number, ended: number] {
	// Behind the name, which may hold blanks and brackets; counted from the state, the third field.
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
		.replace(/^.*\) /s, '')
		.split(' ')
	const seconds = (field: number) => (Number(fields[field]) + Number(fields[field + 1])) / ticksPerSecond
	return [seconds(11), seconds(13)]
}

/** Microseconds of CPU that the threads of a process have used: exact, where `cpuSeconds` counts in hundredths of a second. */
export function busyMicroseconds(pid: number): number {
	const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) => {
		const [busy] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
		return Number(busy)
	})
	return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000
}

/** Bytes of memory that a process holds. */
export function residentBytes(pid: number): number {
	const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
	return Number(kilobytes) * 1024
}
