/** What the system was asked for, in which order: no answer leaves before its event was written and synced. */

/** What strace(1) is to write down of a gateway, for `judge`. */
export function traced(file: string): string[] {
	const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg'
	return ['strace', '-f', '--seccomp-bpf', '-y', '-s', '32', '-e', calls, '-o', file]
}

/**
 * Whether each answer in a trace came after a write to the log and its fsync; how many answers, how many did not. For
 * events that come one after the other, and are not delivered meanwhile.
 */
export function judge(trace: string): { answers: number; early: number } {
	let [written, synced, answers, early] = [false, false, 0, 0]
	/** What each thread was interrupted in. */
	const open = new Map<string, string>()
	for (const line of trace.split('\n')) {
		const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
		// What is written behind a synced event, such as the mark of a checkpoint, takes nothing from it.
		if (call.startsWith('pwrite64(') && call.includes('-wal>') && !synced) written = true
		if (call.endsWith('<unfinished ...>')) open.set(thread, call)
		const whole = call.startsWith('<...') ? `${open.get(thread)}${call}` : call
		if (/^f(data)?sync\(\d+<[^>]*-wal>/.test(whole) && whole.endsWith('= 0')) synced = written
		if (/^(write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 200/.test(call)) {
			answers++
			if (!written || !synced) early++
			written = false
			synced = false
		}
	}
	return { answers, early }
}
