/** Notices when one of several files is written, replaced, created or removed. */
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Milliseconds: an editor may write a file in several steps. */
const settling = 100

/**
 * Calls `changed` with the absolute paths of files that have changed, once for several at the same time. Returns what sets
 * the files: before the first call there are none. Does not keep the process running.
 */
export function watchFiles(changed: (files: readonly string[]) => void): (files: readonly string[]) => void {
	const folders = new Map<string, FSWatcher>()
	let watched = new Set<string>()
	const noticed = new Set<string>()
	let timer: NodeJS.Timeout | undefined

	const notice = (file: string) => {
		if (!watched.has(file)) return
		noticed.add(file)
		clearTimeout(timer)
		timer = setTimeout(() => {
			const files = [...noticed]
			noticed.clear()
			changed(files)
		}, settling)
	}
	// The folder, because many editors put another file in the place of the one that is watched.
	const watchFolder = (folder: string) => {
		const watcher = watch(folder, (_, name) => {
			if (name !== null) notice(join(folder, name))
		})
		watcher.on('error', () => folders.delete(folder)).unref()
		folders.set(folder, watcher)
	}
	return (files) => {
		watched = new Set(files.map((file) => resolve(file)))
		const wanted = new Set([...watched].map((file) => dirname(file)))
		for (const [folder, watcher] of folders) {
			if (wanted.has(folder)) continue
			watcher.close()
			folders.delete(folder)
		}
		for (const folder of wanted) if (!folders.has(folder) && existsSync(folder)) watchFolder(folder)
	}
}
