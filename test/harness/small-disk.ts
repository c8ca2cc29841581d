/** A disk that is quickly full. */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { path } from '../tools.ts'
import { folder, type Scope } from './scope.ts'

const ofOthers = 'of-others'

/** A disk of so many MiB, where one may be mounted; it goes with the scope. */
export function smallDisk(scope: Scope, size: number): string | undefined {
	const disk = folder(scope)
	const mount = ['-t', 'tmpfs', '-o', `size=${size}m`, 'dragoman', disk]
	if (spawnSync('mount', mount, { env: { PATH: path } }).status !== 0) return undefined
	scope.after(() => spawnSync('umount', ['-l', disk], { env: { PATH: path } }))
	return disk
}

/** Takes all that is left of it. */
export function fill(disk: string): void {
	const [file, chunk] = [join(disk, ofOthers), Buffer.alloc(65_536, 'x')]
	for (const bytes of [chunk, chunk.subarray(0, 4096)]) {
		try {
			for (;;) writeFileSync(file, bytes, { flag: 'a' })
		} catch (thrown) {
			if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')) throw thrown
		}
	}
}

/** Gives back what `fill` took. */
export function empty(disk: string): void {
	rmSync(join(disk, ofOthers))
}
