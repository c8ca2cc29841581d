/** SIGHUP from the first moment of the process, so that it never ends a gateway that is still starting. */

let isPending = false
let reload = (): void => {
	isPending = true
}

/** Keeps a SIGHUP for `onReloadSignal`. */
export function holdReloadSignal(): void {
	process.on('SIGHUP', () => reload())
}

/** Calls `handle` for each SIGHUP from now on, and at once if there was one before. */
export function onReloadSignal(handle: () => void): void {
	reload = handle
	if (isPending) handle()
}
